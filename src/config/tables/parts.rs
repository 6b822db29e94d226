//! The tables below `[[issuer]]`, and `[mail]`.

use super::super::schema::{Kind, Section};
use super::{MEDIA_TYPES, TEN_YEARS, THIRTY_DAYS, number, seconds, with_default, without_default};

pub(super) static MAIL: Section = Section {
    keys: &[
        without_default(
            "smtp_url",
            Kind::Secret,
            "\"smtps://mail.example.it\"",
            "Required outside development. smtps://HOST:PORT is TLS from the beginning (port 465); smtp://HOST:PORT has to offer\nSTARTTLS (port 587), unless HOST is this machine.",
        ),
        without_default(
            "username",
            Kind::Text,
            "\"varco\"",
            "If the server asks for credentials.",
        ),
        without_default(
            "password",
            Kind::Secret,
            "\"(the server's password)\"",
            "Better in the environment: VARCO_MAIL_PASSWORD.",
        ),
        without_default(
            "ca_file",
            Kind::Path,
            "\"mail-ca.pem\"",
            "If the server's certificate is of a private authority: its certificates, PEM, trusted beside the system's.",
        ),
        without_default(
            "from",
            Kind::Text,
            "\"Example Identity <no-reply@login.example.it>\"",
            "Required outside development. The sender.",
        ),
        with_default(
            "retention_days",
            number(1, 3650),
            "30",
            "Days that a mail is kept, sealed, after it was sent or given up.",
        ),
    ],
};

pub(super) static EXTERNAL_METHOD: Section = Section {
    keys: &[
        without_default(
            "name",
            Kind::Label,
            "{ it = \"App Esempio\", en = \"Example App\", de = \"Beispiel-App\" }",
            "Required. What people call it; one text, or one a language.",
        ),
        without_default(
            "url",
            Kind::WebAddress,
            "\"https://app.example.it/authentications\"",
            "Required. Where it is asked.",
        ),
        without_default(
            "jwks_file",
            Kind::Path,
            "\"app-jwks.json\"",
            "Required. The public keys that it signs its answers with, received by a way that is to be trusted: a JWKS.",
        ),
        with_default(
            "levels",
            Kind::Levels,
            "[\"https://www.spid.gov.it/SpidL2\"]",
            "The levels that it reaches together with a password. What it states above them is refused.",
        ),
        with_default(
            "levels_alone",
            Kind::Levels,
            "[]",
            "The levels that it reaches without a password: the person types the username and confirms in the app. Whoever knows a\nusername can make that person's phone ring, four times an hour and then less.",
        ),
        with_default(
            "timeout_seconds",
            seconds(30, 900),
            "180",
            "How long a person has to confirm.",
        ),
        with_default(
            "amr",
            Kind::Choices(AMR),
            "[\"mca\"]",
            "What tokens call it (RFC 8176): mca is a confirmation over another channel.",
        ),
    ],
};

/// RFC 8176 §2, and what is registered since; `mfa` is added by itself.
pub(in super::super) const AMR: &[&str] = &[
    "face", "fpt", "geo", "hwk", "iris", "kba", "mca", "otp", "pin", "pop", "pwd", "rba", "retina",
    "sc", "sms", "swk", "tel", "user", "vbm", "wia",
];

pub(super) static BRANDING: Section = Section {
    keys: &[
        without_default(
            "name",
            Kind::Text,
            "\"Example Identity\"",
            "Shown in the header.",
        ),
        without_default(
            "logo",
            Kind::Text,
            "\"logo.svg\"",
            "A file of override_dir/static, or an https URL.",
        ),
        without_default(
            "primary_colour",
            Kind::Colour,
            "\"#0066cc\"",
            "Header and buttons.",
        ),
        without_default(
            "text_colour",
            Kind::Colour,
            "\"#ffffff\"",
            "Text on the primary colour.",
        ),
    ],
};

pub(super) static RP_TOLERANCE: Section = Section {
    keys: &[
        with_default(
            "clock_leeway_seconds",
            seconds(0, 86_400),
            "30",
            "How far an RP's clock may be off.",
        ),
        with_default(
            "missing_exp",
            Kind::Boolean,
            "false",
            "Accept request objects without exp until five minutes after iat.",
        ),
        with_default(
            "userinfo_content_type",
            Kind::OneOf(MEDIA_TYPES),
            "\"application/jwt\"",
            "application/jose is the older text's; some RP kits insist on it.",
        ),
    ],
};

pub(super) static RP: Section = Section {
    keys: &[
        without_default(
            "id",
            Kind::Text,
            "\"https://rp.example.it\"",
            "Required. The RP's client_id.",
        ),
        without_default(
            "clock_leeway_seconds",
            seconds(0, 86_400),
            "7200",
            "As in rp_tolerance.",
        ),
        without_default("missing_exp", Kind::Boolean, "true", "As in rp_tolerance."),
        without_default(
            "userinfo_content_type",
            Kind::OneOf(MEDIA_TYPES),
            "\"application/jose\"",
            "As in rp_tolerance.",
        ),
    ],
};

pub(super) static CLIENT_CERTIFICATE: Section = Section {
    keys: &[
        with_default(
            "header",
            Kind::Text,
            "\"X-Client-Certificate\"",
            "The header that the proxy writes on every request: URL-escaped PEM, as nginx's $ssl_client_escaped_cert.",
        ),
        without_default(
            "ca_file",
            Kind::Path,
            "\"card-authorities.pem\"",
            "Required. The certificates of the authorities that issue the cards, PEM.",
        ),
        with_default(
            "fiscal_number_from",
            Kind::OneOf(&["serial_number", "common_name"]),
            "\"serial_number\"",
            "Where the subject has the fiscal number: serial_number (TINIT-…), or common_name (the number, or the number and a\nslash). The person is the one whose attribute fiscal_number is that.",
        ),
    ],
};

pub(super) static LIFETIMES: Section = Section {
    keys: &[
        with_default("access_token", seconds(10, 86_400), "900", "Access tokens."),
        with_default("id_token", seconds(10, 86_400), "900", "id_tokens."),
        with_default(
            "refresh_token",
            seconds(10, THIRTY_DAYS),
            "2592000",
            "Refresh tokens; at most 30 days.",
        ),
        with_default(
            "session",
            seconds(60, THIRTY_DAYS),
            "1800",
            "Single sign-on sessions between RPs of this issuer.",
        ),
        with_default(
            "consent",
            seconds(60, TEN_YEARS),
            "31536000",
            "From consent to the end of every token that came of it.",
        ),
        with_default(
            "interaction",
            seconds(60, 86_400),
            "1800",
            "From the RP's request to the user's answer.",
        ),
        with_default(
            "entity_configuration",
            seconds(600, 30 * 86_400),
            "86400",
            "Signed federation documents. A new key is published for so long before it signs.",
        ),
    ],
};

pub(super) static TRUST_ANCHOR: Section = Section {
    keys: &[
        without_default(
            "id",
            Kind::WebAddress,
            "\"https://registry.example.it\"",
            "Required. Its entity identifier.",
        ),
        without_default(
            "jwks_file",
            Kind::Path,
            "\"ta-jwks.json\"",
            "Its pinned keys, received by a way that is to be trusted: a JWKS. Required outside development (or jwks).",
        ),
        without_default(
            "jwks",
            Kind::Jwks,
            "'{\"keys\": []}'",
            "The same, written here.",
        ),
    ],
};
