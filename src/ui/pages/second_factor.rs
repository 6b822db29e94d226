//! What is asked of people beside a password: their code, registering an app, codes on paper.

use super::{Page, RpView};
use crate::clock::UtcTime;
use crate::ui::Level;
use serde::Serialize;

/// Why a proof was not accepted, as far as the visitor may know. All pages that ask for one share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProofError {
    /// Something was left empty.
    Missing,
    /// The password is wrong.
    WrongPassword,
    /// The code is wrong.
    WrongCode,
    /// The code is right and was used before.
    UsedBefore,
    /// The code is right at another time: the clock of the person's device is ahead.
    ClockAhead {
        /// By so many minutes.
        minutes: u64,
    },
    /// It is behind.
    ClockBehind {
        /// By so many minutes.
        minutes: u64,
    },
    /// The code is right, but the server's clock went back.
    ServerBehind {
        /// When the next one counts.
        until: UtcTime,
    },
    /// The code was sent before the server's clock went back.
    OfTheFuture,
    /// Too many tries.
    Throttled {
        /// Seconds until the next try is allowed.
        seconds: u64,
    },
    /// Far too many tries.
    Locked {
        /// Until when.
        until: UtcTime,
    },
    /// It took too long: the step before has to be done again.
    Expired,
    /// The queue for password checks is full.
    Busy,
    /// The new password has too few or too many characters.
    PasswordLength,
    /// The two new passwords differ.
    PasswordsDiffer,
    /// The new password is the old one.
    SamePassword,
    /// The person has as many second factors as one may have.
    TooMany,
    /// The security key answered something else than was asked, or is none of the person's.
    WrongKey,
    /// The security key did not verify who holds it, or is copied between devices.
    KeyNotVerified,
    /// The security key's counter went back.
    KeyCopied,
    /// The security key is registered already.
    KeyKnown,
    /// No card was read.
    NoCard,
    /// The card's certificate cannot be read, or names nobody.
    CardUnreadable,
    /// The card's certificate has ended, or is of an authority that does not count.
    CardNotTrusted,
    /// Nobody of the registry, or somebody else, has the card's fiscal number.
    CardUnknown,
}

/// With what the page expects to be answered; either kind of code is accepted in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeKind {
    /// The code that an app shows.
    Totp,
    /// A recovery code.
    Recovery,
}

/// What the pages of all steps of a login have. Their forms post `cancel=1`, or `restart=1` to log in as somebody else,
/// instead of a proof.
#[derive(Clone, Debug, Serialize)]
pub struct StepView {
    /// Who asks.
    pub rp: RpView,
    /// The level that is asked for.
    pub level: Option<Level>,
    /// Other methods that the person has.
    pub other_ways: Vec<OtherWay>,
    /// Whether it is known who logs in: then somebody else may do so instead.
    pub may_restart: bool,
    /// The form's CSRF token.
    pub csrf_token: String,
    /// Where the form posts to.
    pub action_url: String,
}

/// The page of another method of the same login.
#[derive(Clone, Debug, Serialize)]
pub struct OtherWay {
    /// The method's name.
    pub method: &'static str,
    /// Where it is asked for.
    pub url: String,
}

/// Asks for a code. The form posts `otp`.
#[derive(Clone, Debug, Serialize)]
pub struct SecondFactorPage {
    /// What surrounds it.
    pub step: StepView,
    /// What is asked for.
    pub kind: CodeKind,
    /// Why the last try failed.
    pub error: Option<ProofError>,
}

impl Page for SecondFactorPage {
    const TEMPLATE: &'static str = "second_factor.html";
}

/// Asks for a security key. The form posts `answer`, which the script fills in.
#[derive(Clone, Debug, Serialize)]
pub struct KeyPage {
    /// What surrounds it.
    pub step: StepView,
    /// What the script hands to the browser: JSON.
    pub options: String,
    /// Whether the key has to verify its holder.
    pub verify: bool,
    /// Why the last try failed.
    pub error: Option<ProofError>,
}

impl Page for KeyPage {
    const TEMPLATE: &'static str = "security_key.html";
}

/// Asks for a card. The form posts `card=1`.
#[derive(Clone, Debug, Serialize)]
pub struct CertificatePage {
    /// What surrounds it.
    pub step: StepView,
    /// Whether the browser showed a certificate.
    pub is_read: bool,
    /// Why the last try failed.
    pub error: Option<ProofError>,
}

impl Page for CertificatePage {
    const TEMPLATE: &'static str = "certificate.html";
}

/// Registers a security key. The form posts `name`, and `answer`, which the script fills in; or `cancel=1`.
#[derive(Clone, Debug, Serialize)]
pub struct NewKeyPage {
    /// What the script hands to the browser: JSON.
    pub options: String,
    /// As typed before.
    pub name: String,
    /// Why the last try failed.
    pub error: Option<ProofError>,
    /// The form's CSRF token.
    pub csrf_token: String,
    /// Where the form posts to.
    pub action_url: String,
}

impl Page for NewKeyPage {
    const TEMPLATE: &'static str = "new_key.html";
}

/// Tells somebody who has nothing to go on with what to do. The form posts `enrol=1`.
#[derive(Clone, Debug, Serialize)]
pub struct NoSecondFactorPage {
    /// What surrounds it.
    pub step: StepView,
    /// Whether the person may register an app now.
    pub may_enrol: bool,
    /// Whether only a key or a card would do.
    pub strong: bool,
}

impl Page for NoSecondFactorPage {
    const TEMPLATE: &'static str = "no_second_factor.html";
}

/// A QR code: squares on a field of `size` × `size`, as the path of an SVG.
#[derive(Clone, Debug, Serialize)]
pub struct QrView {
    /// Modules of a side, the quiet zone included.
    pub size: usize,
    /// `M4 4h7v1h-7z…`.
    pub path: String,
}

/// Shows the secret of a new second factor and asks for its first code. The form posts `otp`, or `cancel=1`.
#[derive(Clone, Debug, Serialize)]
pub struct EnrolPage {
    /// Base32 in groups of four.
    pub secret: String,
    /// `otpauth://…`, for a browser on the device that has the app.
    pub uri: String,
    /// The same as a picture; absent when the address is too long for one.
    pub qr: Option<QrView>,
    /// Why the last try failed.
    pub error: Option<ProofError>,
    /// The form's CSRF token.
    pub csrf_token: String,
    /// Where the form posts to.
    pub action_url: String,
    /// Whether this is within a login for a relying party.
    pub in_login: bool,
    /// The first step of the desk's login, which is no place to cancel; absent for citizens.
    pub desk_url: Option<String>,
}

impl Page for EnrolPage {
    const TEMPLATE: &'static str = "enrol.html";
}

/// Shows recovery codes, once.
#[derive(Clone, Debug, Serialize)]
pub struct RecoveryCodesPage {
    /// In groups of four.
    pub codes: Vec<String>,
    /// Whether a second factor was registered just now.
    pub enrolled: bool,
    /// Where to go on.
    pub continue_url: String,
}

impl Page for RecoveryCodesPage {
    const TEMPLATE: &'static str = "recovery_codes.html";
}
