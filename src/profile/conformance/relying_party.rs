//! `openid_relying_party`: members and algorithms. Rules that refuse logins are in [`crate::profile::rules`] only.

use super::{Check, Finding, absent, checks, show};
use crate::jose::{ContentEncryption, SignatureAlgorithm};
use serde_json::Value;

/// Where keys may be published.
const KEY_MEMBERS: [&str; 3] = ["jwks", "signed_jwks_uri", "jwks_uri"];

pub(super) static ROWS: &[Check] = checks! {
    "relying_party.shape", "OIDC Registration §2",
        "every member has the right JSON type",
        "correct the member that is named", "metadata.openid_relying_party", refuses =>
        |e| match &e.facts {
            Ok(_) => Finding::Pass("all can be read".to_owned()),
            Err(misshapen) => Finding::Fail(misshapen.to_string()),
        };
    "relying_party.client_name", "OIDC Registration §2",
        "client_name says what people see on the login pages",
        "add client_name (and client_name#it, client_name#en …)", "metadata.openid_relying_party.client_name" =>
        |e| e.of_metadata(|metadata| {
            let names: Vec<&str> = metadata.client_name.values().map(String::as_str).collect();
            let found = if names.is_empty() { absent() } else { names.join(", ") };
            Finding::warn_unless(names.iter().any(|name| !name.trim().is_empty()), found)
        });
    "relying_party.client_id", "OIDC Federation §12.1, SPID/CIE FE-1",
        "client_id, when stated, is the entity identifier",
        "remove client_id or write the entity identifier", "metadata.openid_relying_party.client_id" =>
        |e| e.of_configuration(|_| match e.last("client_id") {
            None => Finding::NotApplicable("not stated"),
            Some(id) => Finding::fail_unless(id.as_str() == Some(&e.entity_id), show(id)),
        });
    "relying_party.response_types", "SPID/CIE AZ-7, FE-10",
        "response_types has code and nothing else",
        "leave code only: other response types are refused", "metadata.openid_relying_party.response_types" =>
        |e| e.of_metadata(|metadata| {
            let others: Vec<String> = metadata.response_types.iter().filter(|kind| *kind != "code").cloned().collect();
            Finding::unless_any(&others, Finding::Warning)
        });
    "relying_party.grant_types", "SPID/CIE TK-2, FE-10",
        "grant_types, when stated, has authorization_code",
        "add authorization_code", "metadata.openid_relying_party.grant_types" =>
        |e| e.of_metadata(|metadata| {
            let kinds = &metadata.grant_types;
            if kinds.is_empty() {
                return Finding::NotApplicable("not stated");
            }
            Finding::fail_unless(kinds.iter().any(|kind| kind == "authorization_code"), kinds.join(", "))
        });
    "relying_party.application_type", "OIDC Registration §2, SPID/CIE FE-10",
        "application_type is web, or native for custom schemes",
        "write native for a mobile application with a custom scheme, web otherwise", "metadata.openid_relying_party.application_type" =>
        |e| e.of_metadata(|metadata| {
            let custom = metadata.redirect_uris.iter().any(|uri| super::redirect_uris::is_custom(uri));
            let stated = e.last("application_type");
            let kind = stated.and_then(Value::as_str);
            let fits = match kind {
                Some("native") => true,
                Some("web") => !custom,
                Some(_) => false,
                None => stated.is_none() && !custom,
            };
            Finding::warn_unless(fits, stated.map_or_else(absent, show))
        });
    "relying_party.subject_type", "SPID/CIE TM-3",
        "subject_type, when stated, is pairwise",
        "write pairwise: subjects differ from RP to RP whatever is asked", "metadata.openid_relying_party.subject_type" =>
        |e| e.of_metadata(|metadata| match metadata.subject_type.as_deref() {
            None => Finding::NotApplicable("not stated"),
            Some(kind) => Finding::warn_unless(kind == "pairwise", kind),
        });
    "relying_party.client_registration_types", "OIDC Federation §5.1.2, SPID/CIE FE-10",
        "client_registration_types is stated, with the way in which this provider registers",
        "add client_registration_types with what the provider publishes as client_registration_types_supported",
        "metadata.openid_relying_party.client_registration_types" =>
        |e| e.of_configuration(|_| e.of_metadata(|metadata| {
            let kinds = &metadata.client_registration_types;
            if kinds.is_empty() {
                return Finding::Warning(absent());
            }
            let ours = e.profile.federation.registration.as_str();
            let has = kinds.iter().any(|kind| kind == ours) || e.is_ruled("client_registration_types");
            Finding::fail_unless(has, kinds.join(", "))
        }));
    "relying_party.token_endpoint_auth_method", "OIDC Registration §2, SPID/CIE TK-1",
        "token_endpoint_auth_method is a method of this provider: left out it means client_secret_basic",
        "write one of the methods that the provider publishes as token_endpoint_auth_methods_supported, best private_key_jwt",
        "metadata.openid_relying_party.token_endpoint_auth_method" =>
        |e| e.of_metadata(|metadata| {
            let methods = e.profile.client_authentication;
            match metadata.token_endpoint_auth_method.as_deref() {
                None => Finding::warn_unless(methods.contains(&"client_secret_basic"), absent()),
                Some(method) => {
                    let has = methods.contains(&method) || e.is_ruled("token_endpoint_auth_method");
                    Finding::fail_unless(has, method)
                }
            }
        });
    "relying_party.scope", "SPID/CIE AZ-7, MD-3",
        "scope, when stated, has openid and only scopes that the profile has",
        "leave the scopes that the provider publishes as scopes_supported", "metadata.openid_relying_party.scope" =>
        |e| e.of_metadata(|metadata| {
            let Some(scope) = metadata.scope.as_deref() else {
                return Finding::NotApplicable("not stated");
            };
            let mut words = scope.split(' ');
            let known = words.clone().all(|word| e.profile.scope(word).is_some());
            Finding::warn_unless(known && words.any(|word| word == "openid"), scope)
        });
    "relying_party.keys_once", "OIDC Registration §2, SPID/CIE FE-9",
        "keys are published in one way: jwks, signed_jwks_uri or jwks_uri",
        "leave jwks and remove the others", "metadata.openid_relying_party.jwks" =>
        |e| e.of_configuration(|_| {
            let ways: Vec<&str> = KEY_MEMBERS.into_iter().filter(|name| e.last(name).is_some()).collect();
            Finding::warn_unless(ways.len() <= 1, ways.join(", "))
        });
    "relying_party.keys_place", "SPID/CIE FE-9, FE-10",
        "keys are published under a signature that the profile asks for: jwks (SPID: or signed_jwks_uri)",
        "publish the keys as jwks in the entity configuration", "metadata.openid_relying_party.jwks" =>
        |e| e.of_configuration(|_| {
            let ways: Vec<&str> = KEY_MEMBERS.into_iter().filter(|name| e.last(name).is_some()).collect();
            if ways.is_empty() {
                return Finding::NotApplicable("there are no keys");
            }
            let asked = |name: &&str| e.profile.key_members.contains(name);
            Finding::fail_unless(ways.iter().any(asked), ways.join(", "))
        });
    "algorithms.userinfo_stated", "SPID/CIE UI-2",
        "the algorithms of userinfo are stated",
        "add userinfo_signed_response_alg, userinfo_encrypted_response_alg and userinfo_encrypted_response_enc",
        "metadata.openid_relying_party.userinfo_encrypted_response_alg", italian =>
        |e| e.of_configuration(|_| e.of_metadata(|metadata| {
            let members = [
                ("userinfo_signed_response_alg", &metadata.userinfo_signed_response_alg),
                ("userinfo_encrypted_response_alg", &metadata.userinfo_encrypted_response_alg),
                ("userinfo_encrypted_response_enc", &metadata.userinfo_encrypted_response_enc),
            ];
            let missing: Vec<String> = members
                .into_iter()
                .filter(|(_, value)| value.is_none())
                .map(|(name, _)| format!("{name} absent"))
                .collect();
            Finding::unless_any(&missing, Finding::Warning)
        }));
    "algorithms.enc_without_alg", "OIDC Registration §2",
        "id_token_encrypted_response_enc comes with id_token_encrypted_response_alg",
        "add id_token_encrypted_response_alg or remove the enc", "metadata.openid_relying_party.id_token_encrypted_response_enc" =>
        |e| e.of_metadata(|metadata| match &metadata.id_token_encrypted_response_enc {
            None => Finding::NotApplicable("not stated"),
            Some(enc) => Finding::fail_unless(metadata.id_token_encrypted_response_alg.is_some(), enc.as_str()),
        });
    "algorithms.id_token_encryption", "SPID/CIE TK-5",
        "id_token_encrypted_response_alg is asked only where id_tokens can be encrypted",
        "remove id_token_encrypted_response_alg: this profile never encrypts id_tokens",
        "metadata.openid_relying_party.id_token_encrypted_response_alg" =>
        |e| e.of_metadata(|metadata| match &metadata.id_token_encrypted_response_alg {
            None => Finding::NotApplicable("not stated"),
            Some(alg) => Finding::warn_unless(e.profile.id_token_encryption, alg.as_str()),
        });
    "algorithms.enc_published", "SPID/CIE AL-3",
        "content encryption is one that the profile publishes",
        "choose A128CBC-HS256 or A256CBC-HS512", "metadata.openid_relying_party.userinfo_encrypted_response_enc" =>
        |e| e.of_metadata(|metadata| {
            // An unknown name is another row's: the profile's own rule.
            let Some(enc) = metadata.userinfo_encrypted_response_enc.as_deref().and_then(ContentEncryption::parse) else {
                return Finding::NotApplicable("not stated, or not known");
            };
            Finding::warn_unless(e.profile.content_encryption.contains(&enc), enc.as_str())
        });
    "algorithms.request_encryption", "SPID/CIE MD-3",
        "request objects are not encrypted",
        "remove request_object_encryption_alg: request objects are signed only", "metadata.openid_relying_party.request_object_encryption_alg" =>
        |e| {
            let alg = e.text("request_object_encryption_alg");
            Finding::warn_unless(alg.is_none(), alg.unwrap_or("not stated"))
        };
    "algorithms.signing_key", "SPID/CIE AL-1, OIDC Registration §2",
        "jwks has a key for every algorithm that the RP says it signs with",
        "add a key that fits request_object_signing_alg and token_endpoint_auth_signing_alg, or correct these", "metadata.openid_relying_party.jwks" =>
        |e| e.of_keys(|keys| e.of_metadata(|metadata| {
            if keys.signing_keys().next().is_none() {
                return Finding::NotApplicable("there is no signing key at all");
            }
            let announced = [&metadata.request_object_signing_alg, &metadata.token_endpoint_auth_signing_alg];
            let without: Vec<String> = announced
                .into_iter()
                .flatten()
                .filter_map(|name| SignatureAlgorithm::parse(name))
                .filter(|alg| !keys.signing_keys().any(|key| super::keys::signs(key, *alg)))
                .map(|alg| format!("no key for {alg}"))
                .collect();
            Finding::unless_any(&without, Finding::Fail)
        }));
};
