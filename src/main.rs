//! The program: passes its arguments to the library, and to the two commands that stand above it.

use std::process::ExitCode;
use varco::cli::{self, Hooks};

fn main() -> ExitCode {
    cli::run(
        std::env::args_os(),
        Hooks {
            serve: |_| Err("this build holds no server".to_owned()),
            demo: |_| Err("this build holds no demonstration".to_owned()),
        },
    )
}
