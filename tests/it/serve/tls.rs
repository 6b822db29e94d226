//! TLS without a reverse proxy (settings `tls.certificate_file`, `tls.key_file`).

use super::process::{Server, varco, write};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509Name};
use std::net::TcpStream;
use std::path::Path;

const HOST: &str = "login.example.it";

/// A new self-signed certificate and its key, put in place at once.
fn put_certificate(folder: &Path, serial: u32) -> X509 {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", HOST).unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder
        .set_serial_number(&BigNum::from_u32(serial).unwrap().to_asn1_integer().unwrap())
        .unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::days_from_now(2).unwrap())
        .unwrap();
    let names = SubjectAlternativeName::new()
        .dns(HOST)
        .build(&builder.x509v3_context(None, None))
        .unwrap();
    builder.append_extension(names).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    let certificate = builder.build();
    let files = [
        ("key.pem", key.private_key_to_pem_pkcs8().unwrap()),
        ("certificate.pem", certificate.to_pem().unwrap()),
    ];
    for (name, pem) in files {
        let new = folder.join("new.pem");
        std::fs::write(&new, pem).unwrap();
        std::fs::rename(&new, folder.join(name)).unwrap();
    }
    certificate
}

/// The serial number of the certificate that a new connection gets.
fn serial(server: &Server) -> u32 {
    let mut connector = SslConnector::builder(SslMethod::tls()).unwrap();
    connector.set_verify(SslVerifyMode::NONE);
    let stream = TcpStream::connect(&server.address).unwrap();
    let stream = connector.build().connect(HOST, stream).unwrap();
    let certificate = stream.ssl().peer_certificate().unwrap();
    let number = certificate.serial_number().to_bn().unwrap();
    number.to_dec_str().unwrap().parse().unwrap()
}

#[actix_web::test]
async fn a_certificate_is_replaced_without_a_restart_and_a_broken_one_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "listen = \"127.0.0.1:0\"\n[tls]\ncertificate_file = \"certificate.pem\"\nkey_file = \"key.pem\"\n\
         [[issuer]]\nid = \"https://{HOST}/oidc\"\nprofile = \"oidc\"\npairwise_salt = \"kP8sX0yq2mZr7cVw\"\n"
    );
    write(folder.path(), "varco.toml", &text);
    varco(folder.path(), &["keys", "init"]).done();
    let missing = varco(folder.path(), &["serve"]);
    assert_eq!(missing.status, 1);
    assert!(missing.err.contains("key.pem"), "{}", missing.err);

    let certificate = put_certificate(folder.path(), 1001);
    let server = Server::start(folder.path());
    let address: std::net::SocketAddr = server.address.parse().unwrap();
    let client = reqwest::Client::builder()
        .no_proxy()
        .add_root_certificate(
            reqwest::Certificate::from_pem(&certificate.to_pem().unwrap()).unwrap(),
        )
        .resolve(HOST, address)
        .build()
        .unwrap();
    let url = format!("https://{HOST}:{}/oidc/login", address.port());
    let answer = client.get(&url).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(
        cookie.starts_with("__Host-varco-oidc") && cookie.contains("Secure"),
        "{cookie}"
    );
    assert_eq!(
        answer.headers()["strict-transport-security"],
        "max-age=63072000"
    );
    let plain = client
        .get(format!("http://{address}/oidc/login"))
        .send()
        .await;
    assert!(plain.is_err(), "no plain HTTP at the same address");

    assert_eq!(serial(&server), 1001);
    put_certificate(folder.path(), 1002);
    server.line("event=tls.reloaded");
    assert_eq!(serial(&server), 1002);
    write(folder.path(), "certificate.pem", "no certificate");
    server.line("event=tls.kept_old");
    assert_eq!(serial(&server), 1002);
}
