//! The operator's desk, through HTTP, as an operator, a lesser operator, a stranger and an attacker meet it.

mod asking;
mod commands;
mod dashboard;
mod drafts;
mod federation;
mod holdings;
mod hostile;
mod imports;
mod imports_told;
mod keys;
mod login;
mod login_factors;
mod looking;
pub mod mails;
mod operators;
mod routes;
pub mod rps;
mod rps_exports;
pub mod rps_forms;
mod rps_imports;
mod sessions;
mod sought;
mod tolerances;
mod users;

use crate::harness::{Answer, Browser, Node, World};
use varco::administration::{command_line_actor, operators as administration};
use varco::launch::OPERATOR;
use varco::model::Role;

/// A password that is good enough.
pub const PASSWORD: &str = "correct horse battery";

impl World {
    /// Logs the demonstration's administrator in.
    pub async fn desk(&self) -> Browser {
        self.desk_as(OPERATOR.0, OPERATOR.1).await
    }

    /// Logs an operator without second factor in, as development allows.
    pub async fn desk_as(&self, name: &str, password: &str) -> Browser {
        let mut browser = self.browser();
        let answer = self.desk_password(&mut browser, name, password).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        browser
    }

    /// Sends the first step of the login.
    pub async fn desk_password(&self, browser: &mut Browser, name: &str, password: &str) -> Answer {
        let page = browser.get(&self.url("/admin/login")).await;
        let form = page
            .form("/admin/login")
            .with("username", name)
            .with("password", password);
        browser.submit(&page, &form).await
    }

    /// Adds an operator with [`PASSWORD`], as the command line does.
    pub fn add_operator(&self, name: &str, role: Role) {
        let hash = varco::accounts::hash_password(PASSWORD).unwrap();
        let (name, now) = (name.to_owned(), self.app.shared.clock.now());
        let actor = command_line_actor(Some("test"));
        self.app
            .shared
            .store
            .write_blocking(move |tx| administration::add(tx, &actor, (&name, role, hash), now))
            .unwrap();
    }
}

impl Node {
    /// As [`World::desk_as`], at this node.
    pub async fn desk(&self, world: &World, (name, password): (&str, &str)) -> Browser {
        let mut browser = world.browser();
        let page = browser.get(&self.url(&world.url("/admin/login"))).await;
        let form = page
            .form("/admin/login")
            .with("username", name)
            .with("password", password);
        let answer = browser.submit(&page, &form).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        browser
    }
}

impl Answer {
    /// Path and query of where a redirect leads, on this host.
    pub fn leads_to(&self) -> String {
        let to = url::Url::parse(&self.location().unwrap()).unwrap();
        assert_eq!(to.authority(), self.url.authority());
        match to.query() {
            Some(query) => format!("{}?{query}", to.path()),
            None => to.path().to_owned(),
        }
    }
}
