//! The password of a probe: from the command line, the environment, the documents, or the person at the terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::Args;
use crate::documents::Documents;

/// The octets of the password.
pub(super) fn password(args: &Args, documents: Option<&Documents>) -> Result<Vec<u8>, String> {
    if let Some(password) = &args.password {
        return Ok(password.clone().into_bytes());
    }
    let known = documents.into_iter().flat_map(|documents| &documents.node.probes);
    if let Some(account) = known.into_iter().find(|account| account.user == args.user) {
        return Ok(account.password.expose().to_vec());
    }
    if !io::stdin().is_terminal() {
        return Err(format!(
            "no password for {}: give --password, set SEKISHO_PROBE_PASSWORD, or add a [[probe]] account to the node's document",
            args.user
        ));
    }
    ask(&args.user).map_err(|error| format!("cannot ask for the password: {error}"))
}

fn ask(user: &str) -> io::Result<Vec<u8>> {
    let mut err = io::stderr();
    write!(err, "Password of {user}: ")?;
    err.flush()?;
    let quiet = Quiet::begin()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    drop(quiet);
    writeln!(err)?;
    Ok(line.trim_end_matches(['\r', '\n']).as_bytes().to_vec())
}

/// A terminal that does not show what is typed, until dropped.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> io::Result<Quiet> {
        let usual = tcgetattr(io::stdin())?;
        let mut quiet = usual.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &quiet)?;
        Ok(Quiet(usual))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // A terminal that has gone away needs no more care.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
