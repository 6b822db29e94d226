//! Client certificates, as on the cards CIE and CNS: verified by the reverse proxy when the browser connects, passed on in a
//! header, and verified here once more: a header is text that anybody could write.
//!
//! ```text
//! browser ─TLS, certificate─► proxy ─header (only of a trusted proxy, web::inbound)─► chain, time, purpose ─► fiscal number ─► person
//! ```
//!
//! That the browser has the certificate's private key is the proxy's to check: TLS ends there. Whether a certificate was
//! revoked too (`ssl_crl`). Nothing here can be guessed; attempts are counted by address all the same, as those of every
//! login that begins without a password (`authn::address`).

use crate::clock::UtcTime;
use crate::config::{ClientCertificateSettings, FiscalNumberFrom};
use data_encoding::HEXLOWER_PERMISSIVE;
use openssl::nid::Nid;
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509PurposeId, X509StoreContext};

/// Longest header that is read.
const MAX_BYTES: usize = 16 * 1024;
/// Letters and digits of a fiscal number.
const FISCAL_NUMBER: usize = 16;

/// Why a certificate does not count.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The header holds none.
    #[error("the header holds no certificate: URL-escaped PEM is expected")]
    Unreadable,
    /// It does not chain to the configured authorities, is not valid now, or is for another purpose.
    #[error("the certificate is not accepted: {0}")]
    NotTrusted(String),
    /// Its subject has no fiscal number.
    #[error("the certificate's subject has no fiscal number where the configuration says")]
    NoFiscalNumber,
    /// openssl failed.
    #[error("openssl: {0}")]
    Openssl(#[from] openssl::error::ErrorStack),
}

/// The fiscal number of the person whose certificate the proxy passed on: `TINIT-…`.
///
/// # Errors
/// It does not count.
pub fn fiscal_number(
    settings: &ClientCertificateSettings,
    header: &str,
    now: UtcTime,
) -> Result<String, CertificateError> {
    let certificate = read(header)?;
    verify(settings, &certificate, now)?;
    let field = match settings.fiscal_number_from {
        FiscalNumberFrom::SerialNumber => Nid::SERIALNUMBER,
        FiscalNumberFrom::CommonName => Nid::COMMONNAME,
    };
    let mut entries = certificate.subject_name().entries_by_nid(field);
    // One that has several could be read as any of them.
    let (Some(entry), None) = (entries.next(), entries.next()) else {
        return Err(CertificateError::NoFiscalNumber);
    };
    let text = entry.data().to_string()?;
    of_subject(settings.fiscal_number_from, &text).ok_or(CertificateError::NoFiscalNumber)
}

/// As nginx's `$ssl_client_escaped_cert` writes it.
fn read(header: &str) -> Result<X509, CertificateError> {
    if header.len() > MAX_BYTES {
        return Err(CertificateError::Unreadable);
    }
    let mut parts = header.split('%');
    let mut pem = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part
            .split_at_checked(2)
            .ok_or(CertificateError::Unreadable)?;
        let byte = HEXLOWER_PERMISSIVE.decode(code.as_bytes());
        pem.extend(byte.map_err(|_| CertificateError::Unreadable)?);
        pem.extend(rest.as_bytes());
    }
    X509::from_pem(&pem).map_err(|_| CertificateError::Unreadable)
}

fn verify(
    settings: &ClientCertificateSettings,
    certificate: &X509,
    now: UtcTime,
) -> Result<(), CertificateError> {
    let mut store = X509StoreBuilder::new()?;
    for authority in X509::stack_from_pem(settings.authorities.as_bytes())? {
        store.add_cert(authority)?;
    }
    let mut parameters = X509VerifyParam::new()?;
    parameters.set_time(now.0);
    parameters.set_purpose(X509PurposeId::SSL_CLIENT)?;
    // An authority of the file is trusted as such, also one that another one issued.
    parameters.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
    store.set_param(&parameters)?;
    let store = store.build();
    let mut context = X509StoreContext::new()?;
    let none = Stack::new()?;
    let (holds, reason) = context.init(&store, certificate, &none, |context| {
        Ok((context.verify_cert()?, context.error()))
    })?;
    if holds {
        Ok(())
    } else {
        Err(CertificateError::NotTrusted(
            reason.error_string().to_owned(),
        ))
    }
}

/// `TINIT-RSSMRA80A01H501U` (ETSI EN 319 412-1 §5.1.3), or `RSSMRA80A01H501U/…` as in the common name of the cards.
fn of_subject(from: FiscalNumberFrom, text: &str) -> Option<String> {
    let number = match from {
        FiscalNumberFrom::SerialNumber => text.strip_prefix("TINIT-")?,
        FiscalNumberFrom::CommonName => text.split('/').next()?,
    };
    let fits = number.len() == FISCAL_NUMBER
        && number.bytes().all(|letter| letter.is_ascii_alphanumeric());
    fits.then(|| format!("TINIT-{}", number.to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fiscal_number_is_read_where_the_cards_have_it_and_nowhere_else() {
        use FiscalNumberFrom::{CommonName, SerialNumber};
        let right = Some("TINIT-RSSMRA80A01H501U".to_owned());
        for (from, text, expected) in [
            (SerialNumber, "TINIT-RSSMRA80A01H501U", right.clone()),
            (SerialNumber, "RSSMRA80A01H501U", None),
            (SerialNumber, "TINDE-RSSMRA80A01H501U", None),
            (
                CommonName,
                "RSSMRA80A01H501U/7420049000000000.abc=",
                right.clone(),
            ),
            (CommonName, "rssmra80a01h501u", right),
            (CommonName, "Mario Rossi", None),
            (CommonName, "", None),
        ] {
            assert_eq!(of_subject(from, text), expected, "{text}");
        }
    }
}
