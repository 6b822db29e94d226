//! A schema of PostgreSQL for one run.

use diesel::{Connection, PgConnection, RunQueryDsl};

pub struct Schema {
    server: String,
    name: String,
    kept: bool,
}

impl Schema {
    pub fn create(server: String, kept: bool) -> Self {
        let name = if kept {
            "varco_bench".to_owned()
        } else {
            format!("varco_bench_{}", varco::random::uuid4().replace('-', ""))
        };
        let schema = Self { server, name, kept };
        schema.run("CREATE SCHEMA IF NOT EXISTS", "");
        schema
    }

    /// The URL of a database that sees this schema only.
    pub fn url(&self) -> String {
        format!("{}?options=-csearch_path%3D{}", self.server, self.name)
    }

    fn run(&self, what: &str, how: &str) {
        #[expect(
            clippy::disallowed_methods,
            reason = "an operator's connection, beside the program's"
        )]
        let mut connection = PgConnection::establish(&self.server).unwrap();
        diesel::sql_query(format!("{what} {} {how}", self.name))
            .execute(&mut connection)
            .unwrap();
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        if !self.kept && !std::thread::panicking() {
            self.run("DROP SCHEMA", "CASCADE");
        }
    }
}
