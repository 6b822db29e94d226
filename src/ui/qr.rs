//! QR codes as data of a page.

use super::QrView;
use qrcode::{Color, EcLevel, QrCode};

/// ISO/IEC 18004: empty modules around a code.
const QUIET: usize = 4;

/// The code of a text, each run of dark modules as one rectangle; `None` when the text is too long for a code.
pub(super) fn draw(text: &str) -> Option<QrView> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let colors = code.to_colors();
    let mut path = String::new();
    for (y, row) in colors.chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, next| one == next) {
            if run.first() == Some(&Color::Dark) {
                let length = run.len();
                path.push_str(&format!(
                    "M{} {}h{length}v1h-{length}z",
                    x + QUIET,
                    y + QUIET
                ));
            }
            x += run.len();
        }
    }
    Some(QrView {
        size: width + 2 * QUIET,
        path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_finder_patterns_within_a_quiet_zone() {
        let view = draw("otpauth://totp/Varco:ada?secret=GEZDGNBVGY3TQOJQ&issuer=Varco").unwrap();
        // The first row: the upper edges of the two finder patterns, seven modules each.
        let right = view.size - QUIET - 7;
        assert!(view.path.starts_with("M4 4h7v1h-7z"), "{}", view.path);
        assert!(view.path.contains(&format!("M{right} 4h7v1h-7z")));
        assert!(draw(&"x".repeat(5000)).is_none());
    }
}
