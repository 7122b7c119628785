//! See the library: `sekisho --help` tells what the program does.

use std::process::ExitCode;

fn main() -> ExitCode {
    sekisho::command::main()
}
