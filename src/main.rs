//! The program: passes its arguments to the library.

use std::process::ExitCode;
use varco::cli::{self, Hooks};
use varco::launch;

fn main() -> ExitCode {
    cli::run(
        std::env::args_os(),
        Hooks {
            serve: launch::serve,
            demo: launch::demo,
            demo_ta: launch::demo_ta,
        },
    )
}
