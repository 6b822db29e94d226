//! `[mail]`.

use super::*;
use crate::config::{MailDelivery, SmtpSecurity, SmtpSettings};

fn with_mail(lines: &str) -> String {
    // Before the issuers: a table ends where the next one begins.
    format!(
        "{}\n[mail]\nfrom = \"Example <no-reply@login.example.it>\"\n{lines}\n",
        PRODUCTION
    )
}

fn smtp(text: &str) -> SmtpSettings {
    match load_text(text).unwrap().mail.unwrap().delivery {
        MailDelivery::Smtp(smtp) => smtp,
        MailDelivery::Mailbox => panic!("{text}"),
    }
}

#[test]
fn without_a_mail_table_there_are_no_mails_and_the_operator_is_told() {
    let settings = load_text(PRODUCTION).unwrap();
    assert!(settings.mail.is_none());
    assert!(
        settings
            .warnings
            .iter()
            .any(|text| text.starts_with("mail:"))
    );
}

#[test]
fn in_development_a_mailbox_takes_the_place_of_a_server() {
    let text = "development = true\n[[issuer]]\nid = \"http://127.0.0.1:8000/spid/\"\n";
    let none = load_text(text).unwrap().mail.unwrap();
    assert!(matches!(none.delivery, MailDelivery::Mailbox));
    let some = load_text(&format!("{text}[mail]\nretention_days = 3\n")).unwrap();
    assert!(matches!(some.mail.unwrap().delivery, MailDelivery::Mailbox));
    let open = smtp(&format!(
        "{text}[mail]\nsmtp_url = \"smtp://mail.example.it:25\"\n"
    ));
    assert_eq!(open.security, SmtpSecurity::None);
    let secret =
        "[mail]\nsmtp_url = \"smtp://mail.example.it\"\nusername = \"u\"\npassword = \"p\"\n";
    assert_eq!(
        smtp(&format!("{text}{secret}")).security,
        SmtpSecurity::StartTls
    );
}

#[test]
fn the_way_to_a_mail_server_is_protected_unless_it_is_on_this_machine() {
    for (url, host, port, security) in [
        (
            "smtp://mail.example.it",
            "mail.example.it",
            587,
            SmtpSecurity::StartTls,
        ),
        (
            "smtp://mail.example.it:2525/",
            "mail.example.it",
            2525,
            SmtpSecurity::StartTls,
        ),
        (
            "smtps://mail.example.it",
            "mail.example.it",
            465,
            SmtpSecurity::Tls,
        ),
        ("smtp://localhost:25", "localhost", 25, SmtpSecurity::None),
        ("smtp://127.0.0.1:25", "127.0.0.1", 25, SmtpSecurity::None),
        ("smtp://[::1]:25", "::1", 25, SmtpSecurity::None),
        (
            "smtp://127.0.0.1.example.it",
            "127.0.0.1.example.it",
            587,
            SmtpSecurity::StartTls,
        ),
    ] {
        let found = smtp(&with_mail(&format!("smtp_url = \"{url}\"")));
        assert_eq!(
            (found.host.as_str(), found.port, found.security),
            (host, port, security)
        );
        assert!(found.credentials.is_none());
    }
}

#[test]
fn what_is_wrong_about_mail_is_said_without_showing_a_password() {
    for (lines, key) in [
        ("", "mail.smtp_url"),
        ("smtp_url = \"mail.example.it\"", "mail.smtp_url"),
        ("smtp_url = \"https://mail.example.it\"", "mail.smtp_url"),
        (
            "smtp_url = \"smtp://u:hunter2@mail.example.it\"",
            "mail.smtp_url",
        ),
        (
            "smtp_url = \"smtp://mail.example.it/?hunter2\"",
            "mail.smtp_url",
        ),
        (
            "smtp_url = \"smtp://x.it\"\nusername = \"u\"",
            "mail.password",
        ),
        (
            "smtp_url = \"smtp://x.it\"\npassword = \"hunter2\"",
            "mail.username",
        ),
        (
            "smtp_url = \"smtp://x.it\"\nca_file = \"there-is-none.pem\"",
            "mail.ca_file",
        ),
    ] {
        let error = load_text(&with_mail(lines)).unwrap_err().to_string();
        assert!(error.contains(key) && !error.contains("hunter2"), "{error}");
    }
    let text =
        with_mail("smtp_url = \"smtp://x.it\"").replace("no-reply@login.example.it", "nobody");
    assert_problem(&text, "mail.from", "sender");
    let settings = load_text(&with_mail(
        "smtp_url = \"smtps://x.it\"\nusername = \"u\"\npassword = \"hunter2\"",
    ));
    assert!(!format!("{:?}", settings.unwrap().mail).contains("hunter2"));
}
