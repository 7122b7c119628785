//! Command-line options that several programs share.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use sekisho_wire::secret::Secret;

/// The shared secret, given once.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
pub struct SecretOption {
    /// The shared secret itself (visible in the process list: for trials).
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
    /// A file that holds the shared secret; a newline at its end does not count.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file could not be read.
    #[error("cannot read the secret from {path}: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is empty.
    #[error(transparent)]
    Empty(#[from] sekisho_wire::secret::EmptySecret),
}

impl SecretOption {
    /// Reads the secret.
    ///
    /// # Errors
    /// When the file cannot be read or the secret is empty.
    pub fn read(&self) -> Result<Secret, SecretError> {
        let octets = match (&self.secret, &self.secret_file) {
            (Some(secret), _) => secret.clone().into_bytes(),
            (None, Some(path)) => {
                std::fs::read(path).map_err(|error| SecretError::Unreadable { path: path.clone(), error })?
            }
            (None, None) => Vec::new(),
        };
        Ok(Secret::new(octets.strip_suffix(b"\n").unwrap_or(&octets))?)
    }
}

/// Reads a duration: a number with `us`, `ms`, `s` or `m` behind it.
///
/// # Errors
/// A line that says what is wrong.
pub fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        _ => return Err(format!("{text:?} needs a unit: us, ms, s or m")),
    };
    let number: f64 = number.parse().map_err(|_| format!("{text:?} does not begin with a number"))?;
    Duration::try_from_secs_f64(number * seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_number_and_a_unit() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "5", "s", "-1s", "1h", "1..2s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
