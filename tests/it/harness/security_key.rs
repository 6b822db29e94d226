//! A security key in software, which does as it is told: also what no real one would do.

use super::{Answer, Form, LEVELS, World, WorldBuilder};
use data_encoding::BASE64URL_NOPAD;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sha::sha256;
use openssl::sign::Signer;
use serde_json::{Value, json};
use varco::config::Enrolment;
use varco::model::Method;

/// WebAuthn §6.1.
const PRESENT: u8 = 0b1;
const VERIFIED: u8 = 0b100;
const ELIGIBLE: u8 = 0b1000;
const CREDENTIAL: u8 = 0b100_0000;

/// The key, with one credential.
#[derive(Clone)]
pub struct SoftKey {
    key: EcKey<Private>,
    pub id: Vec<u8>,
    /// What it says of the page that asks.
    pub origin: String,
    pub rp_id: String,
    /// Whether it verifies its holder.
    pub verifies: bool,
    /// Whether its credential may be copied to other devices.
    pub synced: bool,
    pub counter: u32,
    pub user_handle: Option<String>,
}

impl WorldBuilder {
    /// Security keys count: the password reaches level 1, a touched key level 2, one that verifies its holder level 3.
    #[must_use]
    pub fn with_keys(self) -> Self {
        self.at_a_name().issuers(|issuer| {
            issuer.password_levels = vec![LEVELS[0].to_owned()];
            issuer.second_factor_levels = vec![LEVELS[1].to_owned()];
            issuer.second_factors = vec![Method::Totp, Method::SecurityKey, Method::Recovery];
            issuer.enrolment = Enrolment::Password;
        })
    }
}

impl World {
    /// A world where security keys count.
    pub fn with_keys() -> WorldBuilder {
        Self::builder().with_keys()
    }

    /// A key in a browser that shows this world's pages.
    pub fn key(&self) -> SoftKey {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        SoftKey {
            key: EcKey::generate(&group).unwrap(),
            id: varco::random::byte_vec(32),
            origin: self.base.clone(),
            rp_id: "localhost".to_owned(),
            verifies: true,
            synced: false,
            counter: 0,
            user_handle: None,
        }
    }
}

impl SoftKey {
    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        json!({
            "type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false,
        })
        .to_string()
        .into_bytes()
    }

    fn data(&mut self, more: u8) -> Vec<u8> {
        self.counter += 1;
        let mut flags = PRESENT | more;
        for (is_set, flag) in [(self.verifies, VERIFIED), (self.synced, ELIGIBLE)] {
            flags |= if is_set { flag } else { 0 };
        }
        let mut data = sha256(self.rp_id.as_bytes()).to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// The answer to a page that registers a key.
    pub fn make(&mut self, options: &Value) -> String {
        self.user_handle = options["user"]["id"].as_str().map(str::to_owned);
        let client_data = self.client_data("webauthn.create", options);
        let mut data = self.data(CREDENTIAL);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(self.public_key());
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(data);
        self.answer(json!({
            "clientDataJSON": BASE64URL_NOPAD.encode(&client_data),
            "attestationObject": BASE64URL_NOPAD.encode(&object),
            "transports": ["usb"],
        }))
    }

    /// The answer to a page that asks for the key.
    pub fn sign(&mut self, options: &Value) -> String {
        let client_data = self.client_data("webauthn.get", options);
        let data = self.data(0);
        let private = PKey::from_ec_key(self.key.clone()).unwrap();
        let mut signer = Signer::new(MessageDigest::sha256(), &private).unwrap();
        signer.update(&data).unwrap();
        signer.update(&sha256(&client_data)).unwrap();
        let signature = signer.sign_to_vec().unwrap();
        self.answer(json!({
            "clientDataJSON": BASE64URL_NOPAD.encode(&client_data),
            "authenticatorData": BASE64URL_NOPAD.encode(&data),
            "signature": BASE64URL_NOPAD.encode(&signature),
            "userHandle": self.user_handle,
        }))
    }

    fn answer(&self, response: Value) -> String {
        let id = BASE64URL_NOPAD.encode(&self.id);
        json!({
            "id": id, "rawId": id, "response": response, "type": "public-key",
            "clientExtensionResults": {}, "authenticatorAttachment": "cross-platform",
        })
        .to_string()
    }

    /// As COSE (RFC 9053 §7.1.1).
    fn public_key(&self) -> Vec<u8> {
        let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
        let mut context = BigNumContext::new().unwrap();
        self.key
            .public_key()
            .affine_coordinates(self.key.group(), &mut x, &mut y, &mut context)
            .unwrap();
        let mut cose = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20".to_vec();
        cose.extend(x.to_vec_padded(32).unwrap());
        cose.extend(b"\x22\x58\x20");
        cose.extend(y.to_vec_padded(32).unwrap());
        cose
    }
}

/// What a page hands to the browser.
pub fn options_of(page: &Answer) -> Value {
    let options = page.body.split("data-options=\"").nth(1);
    let options = options.unwrap_or_else(|| panic!("no key is asked for: {}", page.body));
    let options = options.split('"').next().unwrap();
    let options = options
        .replace("&quot;", "\"")
        .replace("&#x2F;", "/")
        .replace("&amp;", "&");
    serde_json::from_str(&options).unwrap_or_else(|error| panic!("{error}: {options}"))
}

/// The form of a page that asks for a key, with an answer.
pub fn answered(page: &Answer, answer: &str) -> Form {
    let forms = page.forms().into_iter();
    let is_asked = |form: &Form| form.fields.iter().any(|(name, _)| name == "answer");
    let mut form = forms.into_iter().find(is_asked).unwrap();
    form.fields.retain(|(name, _)| name != "answer");
    form.with("answer", answer)
}
