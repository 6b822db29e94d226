//! Level 3 with a card whose certificate the reverse proxy passes on; and what must not pass for one.

use super::security_key::is_consent;
use crate::harness::{ADA, Answer, Browser, LEVELS, World, WorldBuilder};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage};
use openssl::x509::{X509, X509NameBuilder};
use varco::config::{ClientCertificateSettings, FiscalNumberFrom};
use varco::demo::LoginOptions;

const HEADER: &str = "X-Client-Certificate";
/// Ada's, of the demonstration.
const NUMBER: &str = "TINIT-RSSDAA85T50H501C";
const DAY: i64 = 86_400;

/// An authority, and the cards that it issues.
struct Authority {
    key: PKey<Private>,
    certificate: X509,
}

fn new_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// What a certificate says.
struct Says<'a> {
    serial_number: &'a str,
    from: i64,
    until: i64,
    for_clients: bool,
}

const RIGHT: Says<'_> = Says {
    serial_number: NUMBER,
    from: -DAY,
    until: DAY,
    for_clients: true,
};

impl Authority {
    fn new() -> Self {
        let key = new_key();
        let name = |text: &str| {
            let mut name = X509NameBuilder::new().unwrap();
            name.append_entry_by_nid(Nid::COMMONNAME, text).unwrap();
            name.build()
        };
        let mut builder = X509::builder().unwrap();
        let name = name("Authority");
        builder.set_version(2).unwrap();
        builder.set_subject_name(&name).unwrap();
        builder.set_issuer_name(&name).unwrap();
        builder.set_pubkey(&key).unwrap();
        set_times(&mut builder, -DAY, 365 * DAY);
        let ca = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(ca).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self {
            key,
            certificate: builder.build(),
        }
    }

    fn pem(&self) -> String {
        String::from_utf8(self.certificate.to_pem().unwrap()).unwrap()
    }

    /// A card's certificate as nginx passes it on.
    fn card(&self, says: &Says<'_>) -> String {
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_nid(Nid::COMMONNAME, "Ada Rossi")
            .unwrap();
        if !says.serial_number.is_empty() {
            name.append_entry_by_nid(Nid::SERIALNUMBER, says.serial_number)
                .unwrap();
        }
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_subject_name(&name.build()).unwrap();
        builder
            .set_issuer_name(self.certificate.subject_name())
            .unwrap();
        builder.set_pubkey(&new_key()).unwrap();
        set_times(&mut builder, says.from, says.until);
        let mut usage = ExtendedKeyUsage::new();
        let usage = if says.for_clients {
            usage.client_auth().build()
        } else {
            usage.server_auth().build()
        };
        builder.append_extension(usage.unwrap()).unwrap();
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        let pem = String::from_utf8(builder.build().to_pem().unwrap()).unwrap();
        pem.replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D")
            .replace('\n', "%0A")
            .replace(' ', "%20")
    }
}

fn set_times(builder: &mut openssl::x509::X509Builder, from: i64, until: i64) {
    let at = |seconds: i64| Asn1Time::from_unix(crate::harness::START.0 + seconds).unwrap();
    let number = BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap();
    builder.set_serial_number(&number).unwrap();
    builder.set_not_before(&at(from)).unwrap();
    builder.set_not_after(&at(until)).unwrap();
}

fn with_cards(authority: &Authority) -> WorldBuilder {
    let authorities = authority.pem();
    World::builder()
        .server(|settings| settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()])
        .issuers(move |issuer| {
            issuer.password_levels = vec![LEVELS[0].to_owned()];
            issuer.client_certificate = Some(ClientCertificateSettings {
                header: HEADER.to_owned(),
                authorities: authorities.clone(),
                fiscal_number_from: FiscalNumberFrom::SerialNumber,
            });
        })
}

/// A login at level 3 in a browser whose proxy passes this on.
async fn with_card(world: &World, card: &str) -> (Browser, Answer) {
    let issuer = world.issuer("cie").await;
    let options = LoginOptions {
        prompt: "consent login".to_owned(),
        acr_values: vec![LEVELS[2].to_owned()],
        ..LoginOptions::default()
    };
    let prepared = world.request(&issuer, &options);
    let (mut browser, page) = world.accepted(&prepared).await;
    if !card.is_empty() {
        browser.headers = vec![(HEADER, card.to_owned())];
    }
    let page = browser.get(&page.links("with=certificate")[0]).await;
    let form = page.form("with=certificate").with("card", "1");
    let answer = browser.submit(&page, &form).await;
    let answer = browser.follow(answer, &format!("{}/", world.base)).await;
    (browser, answer)
}

fn assert_refused(answer: &Answer, says: &str) {
    assert_eq!(answer.status, 422, "{says}: {}", answer.body);
    assert!(answer.text().contains(says), "{says}: {}", answer.text());
}

#[actix_web::test]
async fn a_card_logs_its_person_in_at_level_three() {
    let authority = Authority::new();
    let world = with_cards(&authority).start();
    let (mut browser, consent) = with_card(&world, &authority.card(&RIGHT)).await;
    assert!(is_consent(&consent), "{}", consent.body);
    assert!(consent.text().contains("Ada"), "{}", consent.text());
    world.allow(&mut browser, &consent).await;
    let history = world.history(&mut browser, "cie").await;
    assert!(history.accesses()[0].contains("Livello 3"));
}

#[actix_web::test]
async fn a_header_from_a_stranger_is_no_card() {
    let authority = Authority::new();
    let world = with_cards(&authority)
        .server(|settings| settings.trusted_proxies.clear())
        .start();
    let (_, refused) = with_card(&world, &authority.card(&RIGHT)).await;
    assert_refused(&refused, "Non è stata letta nessuna carta");
    // And two headers are as good as none: one of them may be the browser's own.
    let world = with_cards(&authority).start();
    let (mut browser, _) = with_card(&world, "").await;
    let card = authority.card(&RIGHT);
    browser.headers = vec![(HEADER, card.clone()), (HEADER, card)];
    let issuer = world.issuer("cie").await;
    let options = LoginOptions {
        acr_values: vec![LEVELS[2].to_owned()],
        ..LoginOptions::default()
    };
    let page = world
        .authorize(&mut browser, &world.request(&issuer, &options))
        .await;
    let page = browser.get(&page.links("with=certificate")[0]).await;
    assert!(
        page.text().contains("nessun certificato"),
        "{}",
        page.text()
    );
}

#[actix_web::test]
async fn an_expired_foreign_misshapen_or_unknown_card_is_refused() {
    let authority = Authority::new();
    let world = with_cards(&authority).start();
    let not_accepted = "La carta non è stata accettata";
    let expired = Says { until: -1, ..RIGHT };
    let early = Says {
        from: DAY,
        until: 2 * DAY,
        ..RIGHT
    };
    let for_servers = Says {
        for_clients: false,
        ..RIGHT
    };
    for says in [&expired, &early, &for_servers] {
        let (_, refused) = with_card(&world, &authority.card(says)).await;
        assert_refused(&refused, not_accepted);
    }
    let foreign = Authority::new().card(&RIGHT);
    let (_, refused) = with_card(&world, &foreign).await;
    assert_refused(&refused, not_accepted);
    let unreadable = "non si può leggere";
    let nameless = Says {
        serial_number: "",
        ..RIGHT
    };
    let other_country = Says {
        serial_number: "TINDE-RSSDAA85T50H501C",
        ..RIGHT
    };
    for card in [
        authority.card(&nameless),
        authority.card(&other_country),
        "nonsense".to_owned(),
        "%".to_owned(),
        "%zz".to_owned(),
    ] {
        let (_, refused) = with_card(&world, &card).await;
        assert_refused(&refused, unreadable);
    }
    let nobody = Says {
        serial_number: "TINIT-XXXXXX00X00X000X",
        ..RIGHT
    };
    let (_, refused) = with_card(&world, &authority.card(&nobody)).await;
    assert_refused(&refused, "non corrisponde a chi sta accedendo");
}

/// SPID/CIE AZ-8: whoever typed a password shows a card of their own.
#[actix_web::test]
async fn after_a_password_only_the_card_of_the_same_person_counts() {
    let authority = Authority::new();
    let world = with_cards(&authority).start();
    let issuer = world.issuer("spid").await;
    let options = LoginOptions {
        acr_values: vec![LEVELS[2].to_owned()],
        ..LoginOptions::default()
    };
    let prepared = world.request(&issuer, &options);
    let (mut browser, page) = world.accepted(&prepared).await;
    let page = world.type_password(&mut browser, &page, ADA).await;
    let bruno = Says {
        serial_number: "TINIT-DLCBRN72C05F839A",
        ..RIGHT
    };
    browser.headers = vec![(HEADER, authority.card(&bruno))];
    let form = page.form("with=certificate").with("card", "1");
    let refused = browser.submit(&page, &form).await;
    assert_refused(&refused, "non corrisponde a chi sta accedendo");
    browser.headers = vec![(HEADER, authority.card(&RIGHT))];
    let answer = browser.submit(&page, &form).await;
    let consent = browser.follow(answer, &format!("{}/", world.base)).await;
    assert!(is_consent(&consent), "{}", consent.body);
}

/// Cards are counted by address, together with passwords.
#[actix_web::test]
async fn cards_that_do_not_count_are_tried_as_often_as_passwords_from_one_address() {
    let authority = Authority::new();
    let world = with_cards(&authority)
        .server(|server| server.throttle.per_address_per_minute = 3)
        .start();
    let strange = Authority::new().card(&RIGHT);
    // A card that counts is none of somebody who tries.
    for _ in 0..5 {
        let (_, consent) = with_card(&world, &authority.card(&RIGHT)).await;
        assert!(is_consent(&consent), "{}", consent.text());
    }
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let (_, answer) = with_card(&world, &strange).await;
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [422, 422, 422, 422, 429]);
    let (_, refused) = with_card(&world, &authority.card(&RIGHT)).await;
    assert_eq!(refused.status, 429);
    assert!(
        refused.text().contains("Troppi tentativi"),
        "{}",
        refused.text()
    );
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(
        world.enter(&mut world.browser(), "cie", ADA).await.status,
        429
    );
    world.clock.advance_seconds(60);
    let (_, consent) = with_card(&world, &authority.card(&RIGHT)).await;
    assert!(is_consent(&consent), "{}", consent.text());
}
