//! Every key of `varco.toml`, its kind, its default and what it is for; the example is generated from here.

mod parts;

use super::schema::{Key, Kind, Section};
pub(super) use parts::AMR;
use parts::{
    BRANDING, CLIENT_CERTIFICATE, EXTERNAL_METHOD, LIFETIMES, MAIL, RP, RP_TOLERANCE, TRUST_ANCHOR,
};

/// Ten years: no number of seconds in a configuration is larger.
const TEN_YEARS: i64 = 315_360_000;
/// SPID/CIE TK-6.
const THIRTY_DAYS: i64 = 2_592_000;
/// SPID/CIE AL-1.
const SIGNATURES: &[&str] = &["RS256", "RS512", "ES256", "ES512", "PS256", "PS512"];
const MEDIA_TYPES: &[&str] = &["application/jwt", "application/jose"];

const fn with_default(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    about: &'static str,
) -> Key {
    Key {
        name,
        kind,
        default: Some(default),
        example: "",
        about,
    }
}

const fn without_default(
    name: &'static str,
    kind: Kind,
    example: &'static str,
    about: &'static str,
) -> Key {
    Key {
        name,
        kind,
        default: None,
        example,
        about,
    }
}

const fn table(name: &'static str, kind: Kind, about: &'static str) -> Key {
    without_default(name, kind, "", about)
}

const fn number(least: i64, most: i64) -> Kind {
    Kind::Integer { least, most }
}

const fn seconds(least: i64, most: i64) -> Kind {
    number(least, most)
}

/// The whole file.
pub(super) static SERVER: Section = Section {
    keys: &[
        with_default(
            "listen",
            Kind::SocketAddress,
            "\"127.0.0.1:8080\"",
            "Address and port on which the issuers are served.",
        ),
        with_default(
            "database_url",
            Kind::Secret,
            "\"sqlite://varco.db\"",
            "sqlite://FILE, or postgres://user@host/db",
        ),
        with_default(
            "database_pool_size",
            number(1, 1000),
            "16",
            "Connections that a node keeps open: all of PostgreSQL's, or SQLite's readers.",
        ),
        with_default(
            "sqlite_synchronous",
            Kind::OneOf(&["full", "normal"]),
            "\"full\"",
            "SQLite only. full: what was answered survives a power failure. normal: faster, survives a crash of the process only.",
        ),
        with_default(
            "development",
            Kind::Boolean,
            "false",
            "true allows http issuers on loopback addresses, fetches from them, anchors without pinned keys and a default salt;\nthe log and the pages say so. Never true for real users.",
        ),
        with_default(
            "desk_second_factor",
            Kind::Boolean,
            "false",
            "Operators need a second factor at /admin in development too; elsewhere they always do.",
        ),
        without_default(
            "public_url",
            Kind::WebAddress,
            "\"https://login.example.it\"",
            "The host's address behind a reverse proxy. Issuers at another host are named in a warning.",
        ),
        with_default(
            "trusted_proxies",
            Kind::Networks,
            "[]",
            "Networks of reverse proxies whose forwarding headers count, such as [\"10.0.0.0/8\"].",
        ),
        with_default(
            "forwarded_header",
            Kind::OneOf(&["x-forwarded", "forwarded"]),
            "\"x-forwarded\"",
            "Which headers these proxies write: x-forwarded (X-Forwarded-For, X-Forwarded-Host) or forwarded (RFC 7239).\nThe others are ignored, since proxies pass on what a client sent.",
        ),
        with_default(
            "key_file",
            Kind::Path,
            "\"varco.key\"",
            "The key-encryption key, made by `varco keys init`. VARCO_KEY, if set, holds the key itself and wins.\nWithout it the issuers' private keys cannot be read: keep a copy apart from the database's.",
        ),
        without_default(
            "metrics_listen",
            Kind::SocketAddress,
            "\"127.0.0.1:9090\"",
            "Address and port of the metrics. Without effect in this version, which has none.",
        ),
        with_default(
            "history_per_page",
            number(1, 1000),
            "50",
            "Accesses on one page of the citizen's history.",
        ),
        with_default(
            "history_retention_days",
            number(1, 36_500),
            "730",
            "How long the citizen's history is kept; it outlives the purge of tokens.",
        ),
        without_default(
            "override_dir",
            Kind::Path,
            "\"theme\"",
            "A folder whose templates/ and static/ replace embedded files of the same name.",
        ),
        table(
            "tls",
            Kind::OptionalSection(&TLS),
            "TLS without a reverse proxy.",
        ),
        table(
            "throttle",
            Kind::Section(&THROTTLE),
            "Limits of failed or repeated logins; 0 switches one off.",
        ),
        table(
            "mail",
            Kind::OptionalSection(&MAIL),
            "E-mails to people. Without this table there are none; in development a page, /mailbox/, shows them.",
        ),
        table(
            "issuer",
            Kind::Sections(&ISSUER),
            "One table an issuer; no two at one address.",
        ),
    ],
};

static TLS: Section = Section {
    keys: &[
        without_default(
            "certificate_file",
            Kind::Path,
            "\"certificate.pem\"",
            "The certificate chain, PEM; read again when it changes.",
        ),
        without_default(
            "key_file",
            Kind::Path,
            "\"certificate-key.pem\"",
            "Its private key, PEM; read again when it changes.",
        ),
    ],
};

static THROTTLE: Section = Section {
    keys: &[
        with_default(
            "per_address_per_minute",
            number(0, 1_000_000),
            "60",
            "Attempts from one address.",
        ),
        with_default(
            "per_account_per_minute",
            number(0, 1_000_000),
            "5",
            "Attempts for one account.",
        ),
    ],
};

static ISSUER: Section = Section {
    keys: &[
        without_default(
            "id",
            Kind::WebAddress,
            "\"https://login.example.it/spid/\"",
            "Required. The issuer's URL, byte for byte the entity identifier known to the federation.",
        ),
        with_default(
            "profile",
            Kind::OneOf(&["spid", "cie", "oidc"]),
            "\"spid\"",
            "Whose rules it follows: spid, cie, or oidc (plain OpenID Connect; with authority_hints and a trust_anchor it is in a\nfederation too, and RPs of the federation register themselves at {issuer}/registration).",
        ),
        without_default(
            "pairwise_salt",
            Kind::Secret,
            "\"(output of: openssl rand -base64 32)\"",
            "Required outside development. Goes into every subject identifier: changing it makes every user a stranger to every RP.",
        ),
        without_default(
            "organization_name",
            Kind::Text,
            "\"Example Identity\"",
            "Published in the entity configuration, as are the next four.",
        ),
        without_default(
            "homepage_uri",
            Kind::WebAddress,
            "\"https://www.example.it\"",
            "Home page.",
        ),
        without_default(
            "policy_uri",
            Kind::WebAddress,
            "\"https://www.example.it/privacy\"",
            "Privacy policy, linked from the pages.",
        ),
        without_default(
            "logo_uri",
            Kind::WebAddress,
            "\"https://www.example.it/logo.svg\"",
            "An SVG.",
        ),
        with_default("contacts", Kind::Texts, "[]", "PEC addresses."),
        with_default(
            "authority_hints",
            Kind::WebAddresses,
            "[]",
            "Entity identifiers of the superiors, such as [\"https://registry.example.it\"].",
        ),
        with_default(
            "trust_marks",
            Kind::Texts,
            "[]",
            "The issuer's own trust marks as received (compact JWS). None is needed to start. Before one ends, or when its\nissuer says that it is revoked, a new one is asked for at the issuer's trust mark endpoint, if it has one.",
        ),
        without_default(
            "trust_marks_dir",
            Kind::Path,
            "\"trust-marks\"",
            "A folder with further trust marks, one compact JWS a file.",
        ),
        with_default(
            "trust_mark_types",
            Kind::Texts,
            "[]",
            "Types of own trust marks that are asked for at the mark issuers that the trust anchor lists, without a mark to begin\nwith, such as [\"https://registry.example.it/openid_provider/public/\"].",
        ),
        with_default(
            "required_trust_marks",
            Kind::Texts,
            "[]",
            "Types of which an RP needs at least one valid mark, such as\n[\"https://registry.example.it/openid_relying_party/public/\"].",
        ),
        with_default(
            "trust_mark_status",
            Kind::OneOf(&["static", "dynamic"]),
            "\"static\"",
            "dynamic also asks the mark issuer's status endpoint; answers are cached.",
        ),
        with_default(
            "max_refresh",
            number(0, 1_000_000),
            "1",
            "spid: how often the tokens of a login may be refreshed; 0 is without limit.",
        ),
        with_default(
            "auth_code_max_age",
            seconds(1, 600),
            "10",
            "Seconds in which an authorization code must be redeemed.",
        ),
        with_default(
            "acr_values_required",
            Kind::Boolean,
            "true",
            "spid and cie: refuse requests without acr_values. default_acr applies only when false.",
        ),
        with_default(
            "default_acr",
            Kind::Level,
            "\"https://www.spid.gov.it/SpidL2\"",
            "The level of a request that asks for none.",
        ),
        with_default(
            "refresh_acr",
            Kind::Level,
            "\"https://www.spid.gov.it/SpidL1\"",
            "spid: the level that an id_token after a refresh states, given only if the login asked for it too.",
        ),
        with_default(
            "password_levels",
            Kind::Levels,
            "[\"https://www.spid.gov.it/SpidL1\"]",
            "The levels that a password alone satisfies.",
        ),
        with_default(
            "second_factor_levels",
            Kind::Levels,
            "[\"https://www.spid.gov.it/SpidL2\"]",
            "The levels that a password together with a second factor satisfies.",
        ),
        with_default(
            "strong_levels",
            Kind::Levels,
            "[\"https://www.spid.gov.it/SpidL3\"]",
            "The levels that a key satisfies which verifies its holder (by PIN or finger) and does not leave its device.\nReached only where second_factors have such a method.",
        ),
        with_default(
            "second_factors",
            Kind::Choices(&["totp", "security_key", "email", "recovery"]),
            "[\"totp\", \"recovery\"]",
            "Second factors that count: totp (one-time codes of an app, RFC 6238), security_key (WebAuthn; for one host name, which\nissuers may share), recovery (codes on paper, each once), and email (a code to the address that the registry has, which is\nas safe as people's mailboxes; needs [mail]). A key that verifies its holder reaches strong_levels too.\n[] switches them off: then only password_levels can be reached.",
        ),
        with_default(
            "enrolment",
            Kind::OneOf(&["operator", "password", "off"]),
            "\"operator\"",
            "How people come by their first second factor. operator: you give it (import, `varco user otp --set`), and whoever has\none may add further ones. password: whoever knows the password may register one; then level 2 is no safer than the\npassword until they have. off: only you give factors. The issuers of a process share the people: the laxest one counts.",
        ),
        without_default(
            "attributes",
            Kind::ClaimMap,
            "{ email = \"email\", phone_number = [\"mobile\", \"phone_number\"] }",
            "Claim to attribute of the registry (or several: the first one that a user has). With this table only the claims in it\nare released; without it, all of the profile's, each from the attribute of the same name.",
        ),
        with_default(
            "attribute_names",
            Kind::Labels,
            "{}",
            "Names of attributes on the pages, instead of the translated ones: { email = \"Email\" } or { email = { it = \"…\", en = \"…\" } }.",
        ),
        without_default(
            "id_token_claims",
            Kind::Claims,
            "[\"given_name\", \"family_name\"]",
            "Claims that may be asked for the id_token. Without this key: none for spid, all for cie.",
        ),
        with_default(
            "federation_signing_alg",
            Kind::OneOf(SIGNATURES),
            "\"RS256\"",
            "Signs the entity configuration and the other federation documents.",
        ),
        with_default(
            "encrypt_id_token",
            Kind::Boolean,
            "false",
            "spid: publish the encryption algorithms of the id_token, where the federation's policy makes them essential.",
        ),
        with_default(
            "resolve_response_typ",
            Kind::OneOf(&["resolve-response+jwt", "entity-statement+jwt"]),
            "\"resolve-response+jwt\"",
            "Header typ of resolve answers; entity-statement+jwt is the older draft's.",
        ),
        table(
            "external_method",
            Kind::OptionalSection(&EXTERNAL_METHOD),
            "Your own authentication service, for example your app: people confirm a login there. The README says what it has to\nanswer.",
        ),
        table(
            "branding",
            Kind::Section(&BRANDING),
            "The look of the pages; what is absent is the profile's own.",
        ),
        table(
            "rp_tolerance",
            Kind::Section(&RP_TOLERANCE),
            "What is tolerated of all RPs of this issuer.",
        ),
        table(
            "client_certificate",
            Kind::OptionalSection(&CLIENT_CERTIFICATE),
            "Login with a card (CIE, CNS): its certificate reaches strong_levels. The reverse proxy verifies it and passes it on;\nonly what comes from trusted_proxies is believed.",
        ),
        table("lifetimes", Kind::Section(&LIFETIMES), "Seconds."),
        table(
            "trust_anchor",
            Kind::Sections(&TRUST_ANCHOR),
            "One table a trust anchor: where the chains of RPs may end. oidc: with one, the issuer is in a federation.",
        ),
        table(
            "rp",
            Kind::Sections(&RP),
            "One table an RP for which other tolerances count than for the rest.",
        ),
    ],
};
