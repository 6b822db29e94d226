//! Documents of a case as JWS, and a verifier that shares no code with the one under test.
//!
//! A document: `{"by": key, "header": {…}, "claims": {…}}`, with two ways to damage it after it was written: `twice` names a
//! claim that is stated a second time, `flip` changes bytes after signing. In its claims `@jwks:NAME` stands for the public
//! keys of a name and `@doc:NAME` for another document of the case.

use data_encoding::BASE64URL_NOPAD;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::nid::Nid;
use openssl::pkey::Private;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Documents within documents; deeper references stay as they are.
const DEPTH_MAX: usize = 3;
/// Signatures remembered: most documents of a case are those of its seed.
const REMEMBERED_MAX: usize = 5_000;

/// The keys of this process, by name, and what was signed with them.
#[derive(Default)]
pub struct Signer {
    keys: HashMap<String, EcKey<Private>>,
    signed: HashMap<(String, String), String>,
}

fn group() -> EcGroup {
    EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap()
}

impl Signer {
    fn key(&mut self, name: &str) -> EcKey<Private> {
        let make = || EcKey::generate(&group()).unwrap();
        let key = self.keys.entry(name.to_owned());
        key.or_insert_with(make).clone()
    }

    /// The JWKS of a name; its `kid` is the name.
    pub fn jwks(&mut self, name: &str) -> Value {
        let key = self.key(name);
        let mut context = openssl::bn::BigNumContext::new().unwrap();
        let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
        key.public_key()
            .affine_coordinates(&group(), &mut x, &mut y, &mut context)
            .unwrap();
        let text = |number: &BigNum| BASE64URL_NOPAD.encode(&number.to_vec_padded(32).unwrap());
        let jwk = json!({"kty": "EC", "crv": "P-256", "kid": name, "x": text(&x), "y": text(&y)});
        json!({"keys": [jwk]})
    }

    /// A document of a case in compact serialization; what is no document, as its JSON.
    pub fn compact(&mut self, documents: &Value, name: &str) -> String {
        self.compact_within(documents, name, 0)
    }

    fn compact_within(&mut self, documents: &Value, name: &str, depth: usize) -> String {
        let document = documents.get(name).unwrap_or(&Value::Null);
        let (Some(by), Some(header)) = (document["by"].as_str(), document.get("header")) else {
            return document.to_string();
        };
        let claims = self.filled(documents, &document["claims"], depth);
        let payload = stated_twice(&claims, document["twice"].as_str());
        let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
        let input = format!("{}.{}", part(&header.to_string()), part(&payload));
        let token = self.sign(by, input);
        flipped(token, &document["flip"])
    }

    /// The claims with what their placeholders stand for.
    fn filled(&mut self, documents: &Value, value: &Value, depth: usize) -> Value {
        match value {
            Value::String(text) => {
                if let Some(name) = text.strip_prefix("@jwks:") {
                    return self.jwks(name);
                }
                match text.strip_prefix("@doc:") {
                    Some(name) if depth < DEPTH_MAX => {
                        Value::from(self.compact_within(documents, name, depth + 1))
                    }
                    _ => value.clone(),
                }
            }
            Value::Array(values) => {
                let values = values.iter();
                let values = values.map(|value| self.filled(documents, value, depth));
                values.collect::<Vec<_>>().into()
            }
            Value::Object(members) => {
                let members = members.iter();
                let filled =
                    members.map(|(name, v)| (name.clone(), self.filled(documents, v, depth)));
                Value::Object(filled.collect::<Map<_, _>>())
            }
            plain => plain.clone(),
        }
    }

    fn sign(&mut self, by: &str, input: String) -> String {
        let known = (by.to_owned(), input);
        if let Some(token) = self.signed.get(&known) {
            return token.clone();
        }
        let hash = openssl::sha::sha256(known.1.as_bytes());
        let signature = EcdsaSig::sign(&hash, &self.key(by)).unwrap();
        let half = |number: &openssl::bn::BigNumRef| number.to_vec_padded(32).unwrap();
        let both = [half(signature.r()), half(signature.s())].concat();
        let token = format!("{}.{}", known.1, BASE64URL_NOPAD.encode(&both));
        if self.signed.len() >= REMEMBERED_MAX {
            self.signed.clear();
        }
        self.signed.insert(known, token.clone());
        token
    }
}

fn stated_twice(claims: &Value, name: Option<&str>) -> String {
    let text = claims.to_string();
    match (name, text.strip_suffix('}')) {
        (Some(name), Some(open)) if claims.get(name).is_some() => {
            format!("{open},{}:{}}}", json!(name), claims[name])
        }
        _ => text,
    }
}

/// `[[position, bits], …]`; what is not ASCII afterwards is left out.
fn flipped(token: String, flips: &Value) -> String {
    let mut bytes = token.into_bytes();
    for flip in flips.as_array().into_iter().flatten() {
        let number = |at: usize| flip.get(at).and_then(Value::as_u64).unwrap_or_default();
        let position = usize::try_from(number(0)).unwrap_or_default() % bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(position) {
            *byte ^= u8::try_from(number(1) % 128).unwrap_or_default();
        }
    }
    bytes.retain(u8::is_ascii);
    String::from_utf8(bytes).unwrap_or_default()
}

/// The claims of a JWS.
pub fn claims_of(token: &str) -> Result<Value, String> {
    part_of(token, 1)
}

fn part_of(token: &str, position: usize) -> Result<Value, String> {
    let part = token.split('.').nth(position).unwrap_or_default();
    let bytes = BASE64URL_NOPAD.decode(part.as_bytes());
    let bytes = bytes.map_err(|error| format!("accepted, but no base64url: {error}"))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("accepted, but no JSON: {error}"))
}

/// Whether one of these keys signed this token, with ES256.
pub fn is_signed_by(token: &str, jwks: &Value) -> Result<bool, String> {
    if part_of(token, 0)?["alg"] != "ES256" {
        return Ok(false);
    }
    let (input, signature) = token.rsplit_once('.').ok_or("accepted, but no JWS")?;
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes());
    let signature = signature.map_err(|error| error.to_string())?;
    let Some((r, s)) = signature.split_at_checked(32) else {
        return Ok(false);
    };
    let number = |bytes: &[u8]| BigNum::from_slice(bytes).unwrap();
    let signature = EcdsaSig::from_private_components(number(r), number(s)).unwrap();
    let hash = openssl::sha::sha256(input.as_bytes());
    let keys = jwks["keys"].as_array().into_iter().flatten();
    Ok(keys.into_iter().any(|jwk| {
        let coordinate = |name: &str| {
            let text = jwk[name].as_str()?;
            BigNum::from_slice(&BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()
        };
        let (Some(x), Some(y)) = (coordinate("x"), coordinate("y")) else {
            return false;
        };
        let key = EcKey::from_public_key_affine_coordinates(&group(), &x, &y);
        key.is_ok_and(|key| signature.verify(&hash, &key).unwrap_or(false))
    }))
}
