//! What an RP learns of the user, where, and under which name (SPID/CIE AZ-9, TM-3).

use crate::harness::{Issuer, Tokens, World};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use varco::demo::{LoginOptions, RelyingParty};
use varco::model::ClientId;
use varco::oauth::subject;
use varco::provider::Provider;
use varco::secret::Secret;
use varco::store::account;

const PROFILES: [&str; 2] = ["spid", "cie"];
const NEW: &str = "https://attributes.eid.gov.it/";
const OLD: &str = "https://attributes.spid.gov.it/";

fn asking(scope: &str, userinfo: &[&str], id_token: &[&str]) -> LoginOptions {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    LoginOptions {
        scope: scope.to_owned(),
        userinfo_claims: owned(userinfo),
        id_token_claims: owned(id_token),
        ..LoginOptions::default()
    }
}

/// The attributes in a token: what is no protocol claim.
fn attributes(claims: &Map<String, Value>) -> BTreeSet<String> {
    let protocol = [
        "iss", "sub", "aud", "acr", "at_hash", "iat", "nbf", "exp", "jti", "nonce",
    ];
    claims
        .keys()
        .filter(|name| !protocol.contains(&name.as_str()))
        .cloned()
        .collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn delivered(
    world: &World,
    issuer: &Issuer,
    options: &LoginOptions,
) -> (BTreeSet<String>, BTreeSet<String>) {
    let tokens = world.login(world.rp(), issuer, options).await;
    let userinfo = world.attributes(world.rp(), issuer, &tokens).await;
    (attributes(&tokens.id_token), attributes(&userinfo))
}

/// SPID/CIE AZ-9.
#[actix_web::test]
async fn only_openid_gives_only_the_subject() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let (id_token, userinfo) = delivered(&world, &issuer, &asking("openid", &[], &[])).await;
        assert_eq!((id_token, userinfo), (set(&[]), set(&[])), "SPID/CIE AZ-9");
    }
}

/// SPID/CIE AZ-9: S userinfo only, `claims.id_token` ignored and not refused; C both, each what was asked for it.
#[actix_web::test]
async fn spid_answers_claims_in_userinfo_and_cie_in_both_places() {
    let world = World::start();
    let options = asking(
        "openid",
        &["given_name", "email"],
        &["family_name", "email"],
    );
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let (id_token, userinfo) = delivered(&world, &issuer, &options).await;
        assert_eq!(userinfo, set(&["given_name", "email"]), "SPID/CIE AZ-9");
        let expected = if profile == "cie" {
            set(&["family_name", "email"])
        } else {
            set(&[])
        };
        assert_eq!(id_token, expected, "SPID/CIE AZ-9");
        // For the id_token only.
        let (id_token, userinfo) =
            delivered(&world, &issuer, &asking("openid", &[], &["given_name"])).await;
        assert_eq!(userinfo, set(&[]), "SPID/CIE AZ-9");
        let expected = if profile == "cie" {
            set(&["given_name"])
        } else {
            set(&[])
        };
        assert_eq!(id_token, expected, "SPID/CIE AZ-9");
    }
}

/// SPID/CIE AZ-9: the scopes of CIE.
#[actix_web::test]
async fn the_scopes_of_cie_stand_for_attributes() {
    let world = World::start();
    let issuer = world.issuer("cie").await;
    let fiscal_number = format!("{NEW}fiscal_number");
    let profile = set(&["family_name", "given_name", "birthdate", &fiscal_number]);
    let email = set(&["email", "email_verified"]);
    let both: BTreeSet<String> = profile.union(&email).cloned().collect();
    for (scope, expected) in [
        ("openid profile", &profile),
        ("openid email", &email),
        ("openid profile email", &both),
    ] {
        let (id_token, userinfo) = delivered(&world, &issuer, &asking(scope, &[], &[])).await;
        assert_eq!(&userinfo, expected, "SPID/CIE AZ-9: {scope}");
        assert_eq!(&id_token, expected, "SPID/CIE AZ-9: {scope}");
    }
    // Beside claims, each once.
    let options = asking("openid email", &["email", "gender"], &[]);
    let (id_token, userinfo) = delivered(&world, &issuer, &options).await;
    assert_eq!(
        userinfo,
        set(&["email", "email_verified", "gender"]),
        "SPID/CIE AZ-9"
    );
    assert_eq!(id_token, email, "SPID/CIE AZ-9");
}

/// SPID/CIE AZ-9 and the table of attributes: under the name that was asked, older ones too.
#[actix_web::test]
async fn a_claim_is_answered_under_the_name_that_was_asked() {
    let world = World::start();
    let ada = [
        ("given_name", "name", json!("Ada")),
        ("family_name", "familyName", json!("Rossi")),
        (
            "place_of_birth",
            "placeOfBirth",
            json!({"locality": "H501", "region": "RM"}),
        ),
        ("birthdate", "dateOfBirth", json!("1985-12-10")),
        (
            "fiscal_number",
            "fiscalNumber",
            json!("TINIT-RSSDAA85T50H501C"),
        ),
        ("phone_number", "mobilePhone", json!("3331234567")),
        (
            "e_delivery_service",
            "digitalAddress",
            json!("ada.rossi@pec.example.it"),
        ),
    ];
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let mut expected = Map::new();
        for (name, older, value) in &ada {
            for asked in [
                (*name).to_owned(),
                format!("{NEW}{name}"),
                format!("{OLD}{name}"),
                (*older).to_owned(),
                format!("{OLD}{older}"),
            ] {
                expected.insert(asked, value.clone());
            }
        }
        expected.insert(format!("{OLD}countyOfBirth"), json!("RM"));
        let document = world_document();
        for asked in [
            "document_details".to_owned(),
            format!("{NEW}document_details"),
            format!("{OLD}idCard"),
        ] {
            expected.insert(asked, document.clone());
        }
        if profile == "spid" {
            for asked in [format!("{NEW}spid_code"), format!("{OLD}spidCode")] {
                expected.insert(asked, json!("DEMO85ADA0001A"));
            }
            for asked in [format!("{NEW}eid_exp_date"), format!("{OLD}expirationDate")] {
                expected.insert(asked, json!("2032-12-10"));
            }
        }
        let names: Vec<&str> = expected.keys().map(String::as_str).collect();
        let tokens = world
            .login(world.rp(), &issuer, &asking("openid", &names, &[]))
            .await;
        let userinfo = world.attributes(world.rp(), &issuer, &tokens).await;
        for (name, value) in &expected {
            assert_eq!(
                userinfo.get(name),
                Some(value),
                "SPID/CIE AZ-9: {profile} {name}"
            );
        }
        assert_eq!(attributes(&userinfo).len(), expected.len());
    }
}

fn world_document() -> Value {
    json!({
        "type": "cartaIdentita",
        "document_number": "CA01234AA",
        "issuer": {"name": "Comune di Roma"},
        "date_of_issuance": "2022-03-14",
        "date_of_expiry": "2032-12-10",
    })
}

/// The older names that only companies have, asked for by an RP of the older draft.
#[actix_web::test]
async fn the_older_names_of_companies_are_answered_in_spid() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let names = ["companyName", "registeredOffice", "ivaCode"].map(|name| format!("{OLD}{name}"));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let tokens = login_as(&world, &issuer, ("dario", "dario-demo"), &names).await;
    let userinfo = world.attributes(world.rp(), &issuer, &tokens).await;
    assert_eq!(
        userinfo[names[0]], "Zanetti Officine S.r.l.",
        "SPID/CIE AZ-9"
    );
    assert!(userinfo[names[1]]["formatted"].is_string(), "SPID/CIE AZ-9");
    assert_eq!(userinfo[names[2]], "VATIT-01234560322", "SPID/CIE AZ-9");
}

async fn login_as(world: &World, issuer: &Issuer, who: (&str, &str), claims: &[&str]) -> Tokens {
    let prepared = world
        .rp()
        .authorization_request(&issuer.metadata, &asking("openid", claims, &[]))
        .unwrap();
    let mut browser = world.browser();
    let page = world.authorize(&mut browser, &prepared).await;
    let page = world.type_password(&mut browser, &page, who).await;
    let answer = world.allow(&mut browser, &page).await;
    let code = answer.redirected("code").unwrap();
    world.redeem(world.rp(), issuer, prepared, &code).await
}

/// The table of attributes: each federation its column; unknown claims are ignored, absent attributes left out.
#[actix_web::test]
async fn an_attribute_of_the_other_federation_is_not_released() {
    let world = World::start();
    let spid_only = [format!("{NEW}spid_code"), format!("{NEW}eid_exp_date")];
    let cie_only = [
        "email_verified".to_owned(),
        "phone_number_verified".to_owned(),
        format!("{NEW}landline_number"),
    ];
    let other = [
        "shoe_size".to_owned(),
        format!("{NEW}company_name"),
        "https://example.it/email".to_owned(),
    ];
    let all: Vec<&str> = spid_only
        .iter()
        .chain(&cie_only)
        .chain(&other)
        .map(String::as_str)
        .collect();
    for (profile, expected) in [("spid", &spid_only[..]), ("cie", &cie_only[..])] {
        let issuer = world.issuer(profile).await;
        let (id_token, userinfo) = delivered(&world, &issuer, &asking("openid", &all, &all)).await;
        let expected: BTreeSet<String> = expected.iter().cloned().collect();
        assert_eq!(userinfo, expected, "SPID/CIE AZ-9");
        if profile == "cie" {
            assert_eq!(id_token, expected, "SPID/CIE AZ-9");
        }
    }
}

/// A claim cannot replace what the protocol says.
#[actix_web::test]
async fn protocol_claims_cannot_be_asked_for_as_attributes() {
    let world = World::start();
    let names = ["sub", "iss", "aud", "exp", "acr", "auth_time", "nonce"];
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let (id_token, userinfo) =
            delivered(&world, &issuer, &asking("openid", &names, &names)).await;
        assert_eq!((id_token, userinfo), (set(&[]), set(&[])), "SPID/CIE TK-5");
    }
}

async fn subject_at(world: &World, rp: &RelyingParty, issuer: &Issuer) -> String {
    let tokens = world.login(rp, issuer, &LoginOptions::default()).await;
    world.attributes(rp, issuer, &tokens).await["sub"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// SPID/CIE TM-3.
#[actix_web::test]
async fn a_subject_is_of_one_rp_one_issuer_and_one_person() {
    let world = World::start();
    let mut all = BTreeSet::new();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        for rp in [world.rp(), world.federation.aggregated_relying_party()] {
            let first = subject_at(&world, rp, &issuer).await;
            world.clock.advance_seconds(3600);
            assert_eq!(
                first,
                subject_at(&world, rp, &issuer).await,
                "SPID/CIE TM-3"
            );
            assert!(
                first.len() == 64 && first.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "SPID/CIE TM-3: a hash and nothing of the person, found {first}"
            );
            assert!(
                all.insert(first),
                "SPID/CIE TM-3: another RP knows the same subject"
            );
        }
        let bruno = login_as(&world, &issuer, ("bruno", "bruno-demo"), &[]).await;
        let bruno = bruno.id_token["sub"].as_str().unwrap().to_owned();
        assert!(all.insert(bruno), "SPID/CIE TM-3");
    }
}

/// SPID/CIE TM-3: the salt is part of it.
#[actix_web::test]
async fn another_salt_makes_another_subject() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let seen = subject_at(&world, world.rp(), &issuer).await;
        let op = world.provider(profile);
        let ada = world
            .app
            .shared
            .store
            .read_blocking(|connection| account::find_by_username(connection, "ada"))
            .unwrap()
            .unwrap();
        let rp = ClientId::new(world.rp().entity_id());
        assert_eq!(subject::pairwise(op, &ada.id, &rp), seen, "SPID/CIE TM-3");
        let mut settings = op.settings.clone();
        settings.pairwise_salt = Secret::new("another salt of some length".to_owned());
        let salted = Provider::open(op.shared.clone(), settings).unwrap();
        assert_ne!(
            subject::pairwise(&salted, &ada.id, &rp),
            seen,
            "SPID/CIE TM-3"
        );
    }
}
