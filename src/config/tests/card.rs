use super::{load_text, problems_of};
use std::path::Path;

/// A file that passes for one with certificates.
pub(super) fn write_authorities(folder: &Path, name: &str) {
    std::fs::write(folder.join(name), "-----BEGIN CERTIFICATE-----").unwrap();
}

/// What `[issuer.client_certificate]` cannot do without.
pub(super) fn needed() -> (String, String) {
    let name = "VARCO_ISSUER_CLIENT_CERTIFICATE_CA_FILE";
    (name.to_owned(), "ca".to_owned())
}

fn with(text: &str) -> String {
    let issuer = "[[issuer]]\nid = \"https://login.example.it/oidc\"\nprofile = \"oidc\"\npairwise_salt = \"zLhUyYd0uPfjGWBaT7m3QeKx\"\n";
    format!("{issuer}[issuer.client_certificate]\n{text}")
}

#[test]
fn cards_need_the_authorities_that_issue_them_and_a_header() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let named = format!("ca_file = \"{}\"\n", file.display());
    assert!(
        problems_of(&with(&named)).concat().contains("ca.pem"),
        "no such file"
    );
    std::fs::write(&file, "no certificate").unwrap();
    assert!(
        problems_of(&with(&named))
            .concat()
            .contains("without certificates")
    );
    write_authorities(folder.path(), "ca.pem");
    let issuer = load_text(&with(&named)).unwrap().issuers.remove(0);
    let cards = issuer.client_certificate.unwrap();
    assert_eq!(cards.header, "X-Client-Certificate");
    let wrong = with(&format!("{named}header = \"X Client\"\n"));
    assert!(problems_of(&wrong).concat().contains("HTTP header"));
    assert!(problems_of(&with("")).concat().contains("ca_file"));
}
