//! Mails over TLS, to a real server whose certificate is of a private authority.

use super::delivery::{Office, letter, round, settings};
use super::server::MailServer;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name};
use std::path::{Path, PathBuf};
use varco::config::{MailDelivery, SmtpSecurity};
use varco::secret::Secret;

/// An authority, and a certificate that it gave to a mail server of this name.
struct Certificates {
    authority: X509,
    folder: tempfile::TempDir,
}

fn new_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn begin(name: &str, key: &PKey<Private>) -> (X509Builder, X509Name) {
    let mut subject = X509Name::builder().unwrap();
    subject.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_pubkey(key).unwrap();
    let number = BigNum::from_u32(7).unwrap().to_asn1_integer().unwrap();
    builder.set_serial_number(&number).unwrap();
    builder
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::days_from_now(2).unwrap())
        .unwrap();
    (builder, subject)
}

impl Certificates {
    fn for_server_at(address: &str) -> Self {
        let (authority_key, key) = (new_key(), new_key());
        let (mut builder, subject) = begin(&varco::random::identifier(), &authority_key);
        builder.set_issuer_name(&subject).unwrap();
        let ca = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(ca).unwrap();
        builder
            .sign(&authority_key, MessageDigest::sha256())
            .unwrap();
        let authority = builder.build();
        let (mut builder, _) = begin("Mail server", &key);
        builder.set_issuer_name(authority.subject_name()).unwrap();
        let names = {
            let context = builder.x509v3_context(Some(&authority), None);
            SubjectAlternativeName::new()
                .ip(address)
                .build(&context)
                .unwrap()
        };
        builder.append_extension(names).unwrap();
        builder
            .sign(&authority_key, MessageDigest::sha256())
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let own = builder.build().to_pem().unwrap();
        std::fs::write(folder.path().join("own.pem"), own).unwrap();
        let key = key.private_key_to_pem_pkcs8().unwrap();
        std::fs::write(folder.path().join("key.pem"), key).unwrap();
        Self { authority, folder }
    }

    fn pem(&self) -> String {
        String::from_utf8(self.authority.to_pem().unwrap()).unwrap()
    }

    async fn server(&self, mode: &str) -> MailServer {
        let file = |name: &str| -> PathBuf { self.folder.path().join(name) };
        let (own, key) = (file("own.pem"), file("key.pem"));
        let variables = [
            ("TLS_MODE", Path::new(mode)),
            ("TLS_CERTIFICATE", own.as_path()),
            ("TLS_KEY", key.as_path()),
        ];
        MailServer::start_with((0, &["varco", "right"]), &variables).await
    }
}

fn office(port: u16, security: SmtpSecurity, trusted: Option<String>) -> Office {
    let mut office = Office::on_each_database(port).remove(0);
    let credentials = Some(("varco".to_owned(), Secret::new("right".to_owned())));
    office.settings = settings(port, security, credentials);
    if let MailDelivery::Smtp(smtp) = &mut office.settings.delivery {
        smtp.ca_pem = trusted;
    }
    office
}

const BOTH: [(&str, SmtpSecurity); 2] = [
    ("starttls", SmtpSecurity::StartTls),
    ("tls", SmtpSecurity::Tls),
];

#[actix_web::test]
async fn a_mail_arrives_over_tls_at_a_server_whose_authority_is_trusted() {
    let certificates = Certificates::for_server_at("127.0.0.1");
    // The file may hold others beside it.
    let other = Certificates::for_server_at("127.0.0.1").pem();
    let trusted = format!("{other}\n{}", certificates.pem());
    for (mode, security) in BOTH {
        let mut server = certificates.server(mode).await;
        let office = office(server.port, security, Some(trusted.clone()));
        office.queue("ada@example.it", letter());
        assert_eq!(office.turn().await, round(1, 0, 0), "{mode}");
        let said = server.next().await;
        assert_eq!(said["to"][0], "ada@example.it");
        assert_eq!(said["tls"], true, "{mode}");
        assert_eq!(said["authenticated"], true);
    }
}

#[actix_web::test]
async fn nothing_is_said_to_a_server_with_the_certificate_of_a_stranger_or_for_another_host() {
    let certificates = Certificates::for_server_at("127.0.0.1");
    let elsewhere = Certificates::for_server_at("192.0.2.1");
    let stranger = Certificates::for_server_at("127.0.0.1").pem();
    for (mode, security) in BOTH {
        for (shown, trusted) in [
            (&certificates, None),
            (&certificates, Some(stranger.clone())),
            (&elsewhere, Some(elsewhere.pem())),
        ] {
            let mut server = shown.server(mode).await;
            let office = office(server.port, security, trusted);
            let id = office.queue("ada@example.it", letter());
            assert_eq!(office.turn().await, round(0, 1, 0), "{mode}");
            let reason = office.find(&id).reason.unwrap();
            assert_eq!(reason, "TLS failed, or the certificate is not the server's");
            assert!(server.is_silent(), "{mode}");
        }
    }
}
