//! Values that must not be printed, and comparisons that take the same time whatever differs.

use zeroize::Zeroize;

/// A secret: `Debug` hides it, equality is constant-time, memory is wiped on drop.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a secret.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The secret itself; the name makes every use easy to find.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> std::fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize + AsRef<[u8]>> PartialEq for Secret<T> {
    fn eq(&self, other: &Self) -> bool {
        equal(self.0.as_ref(), other.0.as_ref())
    }
}

/// Constant-time comparison; the length is not hidden.
#[must_use]
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && openssl::memcmp::eq(left, right)
}

/// SHA-256 of a secret: what the database holds instead of codes, cookies and tokens.
#[must_use]
pub fn sha256(value: &[u8]) -> [u8; 32] {
    openssl::sha::sha256(value)
}
