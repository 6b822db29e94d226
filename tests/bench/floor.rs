//! The crypto floor: what openssl alone takes for the operations that a login cannot do without.
//!
//! The operations are called on openssl directly, on inputs as long as those of a real login, with keys decoded
//! beforehand. Everything else a login costs (HTTP, JSON, pages, database) is what the ratio of the report shows.

use crate::child::{Cores, Process, cpu_time};
use openssl::encrypt::Encrypter;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sha::{sha256, sha512};
use openssl::sign::{Signer, Verifier};
use openssl::symm::{Cipher, encrypt};
use std::io::BufRead;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Login operations and userinfo operations are measured for this long each, in every round.
const TIME: Duration = Duration::from_millis(300);
/// A `jti`, a code, a cookie: 43 characters each; their hashes are what the database sees.
const SECRET_HASHES: usize = 8;

/// Bytes that are signed, encrypted and hashed in one login.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub request_object: usize,
    pub client_assertion: usize,
    pub access_token: usize,
    pub id_token: usize,
    pub signed_userinfo: usize,
}

impl Sizes {
    /// Those of real tokens; each has to be signed with RS256.
    pub fn of(tokens: [&str; 5]) -> Self {
        let [
            request_object,
            client_assertion,
            access_token,
            id_token,
            signed_userinfo,
        ] = tokens.map(|token| {
            let header = token.split('.').next().unwrap();
            let header = data_encoding::BASE64URL_NOPAD
                .decode(header.as_bytes())
                .unwrap();
            let header = String::from_utf8(header).unwrap();
            assert!(header.contains("\"RS256\""), "not RS256: {header}");
            token.len()
        });
        Self {
            request_object,
            client_assertion,
            access_token,
            id_token,
            signed_userinfo,
        }
    }

    fn to_text(self) -> String {
        let Self {
            request_object,
            client_assertion,
            access_token,
            id_token,
            signed_userinfo,
        } = self;
        format!("{request_object},{client_assertion},{access_token},{id_token},{signed_userinfo}")
    }

    fn parse(text: &str) -> Self {
        let numbers: Vec<usize> = text
            .split(',')
            .map(|number| number.parse().unwrap())
            .collect();
        Self {
            request_object: numbers[0],
            client_assertion: numbers[1],
            access_token: numbers[2],
            id_token: numbers[3],
            signed_userinfo: numbers[4],
        }
    }
}

/// CPU time of one login's, and of one userinfo answer's, cryptography.
#[derive(Clone, Copy, Debug)]
pub struct Floor {
    pub login: Duration,
    pub userinfo: Duration,
}

/// The floor's process, from the outside.
pub struct FloorProcess(Process);

impl FloorProcess {
    pub fn start(cores: &Cores, sizes: Sizes) -> Self {
        Self(Process::start(
            cores,
            &["floor", &sizes.to_text()],
            Stdio::inherit(),
        ))
    }

    pub fn measure(&mut self) -> Floor {
        self.0.tell("measure");
        let line = self.0.line();
        let (login, userinfo) = line.split_once(' ').unwrap();
        let nanoseconds = |text: &str| Duration::from_nanos(text.parse().unwrap());
        Floor {
            login: nanoseconds(login),
            userinfo: nanoseconds(userinfo),
        }
    }

    pub fn stop(self) {
        self.0.stop();
    }
}

/// `bench floor`: measures once for every line of its input.
pub fn serve(sizes: &str) {
    let work = Work::prepare(Sizes::parse(sizes));
    for _line in std::io::stdin().lock().lines() {
        let login = measure(|| work.login());
        let userinfo = measure(|| work.userinfo());
        println!("{} {}", login.as_nanos(), userinfo.as_nanos());
    }
}

fn measure(work: impl Fn()) -> Duration {
    let own = std::process::id();
    let (began, before) = (Instant::now(), cpu_time(own));
    let mut times = 0;
    while began.elapsed() < TIME {
        work();
        times += 1;
    }
    (cpu_time(own) - before) / times
}

/// A text of some length with its signature.
struct Signed {
    input: Vec<u8>,
    signature: Vec<u8>,
}

struct Work {
    key: PKey<Private>,
    content_key: [u8; 64],
    request_object: Signed,
    client_assertion: Signed,
    access_token: Signed,
    sizes: Sizes,
}

impl Work {
    fn prepare(sizes: Sizes) -> Self {
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let signed = |length| {
            let input = vec![b'x'; length];
            Signed {
                signature: sign(&key, &input),
                input,
            }
        };
        Self {
            request_object: signed(sizes.request_object),
            client_assertion: signed(sizes.client_assertion),
            access_token: signed(sizes.access_token),
            content_key: sha512(b"content key"),
            key,
            sizes,
        }
    }

    fn login(&self) {
        self.verify(&self.request_object);
        sha256(&self.request_object.input);
        self.verify(&self.client_assertion);
        self.sign_length(self.sizes.access_token);
        self.sign_length(self.sizes.id_token);
        for _ in 0..SECRET_HASHES {
            sha256(&self.request_object.input[..43]);
        }
        self.userinfo();
    }

    fn userinfo(&self) {
        self.verify(&self.access_token);
        self.sign_length(self.sizes.signed_userinfo);
        self.encrypt(&self.request_object.input.repeat(2)[..self.sizes.signed_userinfo]);
    }

    fn verify(&self, signed: &Signed) {
        let mut verifier = Verifier::new(MessageDigest::sha256(), &self.key).unwrap();
        assert!(
            verifier
                .verify_oneshot(&signed.signature, &signed.input)
                .unwrap()
        );
    }

    fn sign_length(&self, length: usize) {
        let input = vec![b'x'; length];
        std::hint::black_box(sign(&self.key, &input));
    }

    /// RSA-OAEP-256 with A256CBC-HS512.
    fn encrypt(&self, plaintext: &[u8]) {
        let mut encrypter = Encrypter::new(&self.key).unwrap();
        encrypter.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
        encrypter.set_rsa_oaep_md(MessageDigest::sha256()).unwrap();
        encrypter.set_rsa_mgf1_md(MessageDigest::sha256()).unwrap();
        let mut wrapped = vec![0; encrypter.encrypt_len(&self.content_key).unwrap()];
        encrypter.encrypt(&self.content_key, &mut wrapped).unwrap();
        let (mac_key, encryption_key) = self.content_key.split_at(32);
        let cipher = Cipher::aes_256_cbc();
        let ciphertext = encrypt(cipher, encryption_key, Some(&[7; 16]), plaintext).unwrap();
        let mac_key = PKey::hmac(mac_key).unwrap();
        let mut signer = Signer::new(MessageDigest::sha512(), &mac_key).unwrap();
        std::hint::black_box(signer.sign_oneshot_to_vec(&ciphertext).unwrap());
    }
}

fn sign(key: &PKey<Private>, input: &[u8]) -> Vec<u8> {
    let mut signer = Signer::new(MessageDigest::sha256(), key).unwrap();
    signer.sign_oneshot_to_vec(input).unwrap()
}
