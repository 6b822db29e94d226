//! What the operator's desk asks of the configuration.

use super::*;

#[test]
fn an_issuer_where_the_desk_is_refuses_to_start() {
    for path in ["/admin", "/admin/", "/admin/spid"] {
        let id = format!("id = \"https://login.example.it{path}\"");
        let text = PRODUCTION.replace("id = \"https://login.example.it/spid/\"", &id);
        assert_ne!(text, PRODUCTION);
        let problems = problems_of(&text);
        assert!(problems[0].contains("operator's desk"), "{problems:?}");
    }
}
