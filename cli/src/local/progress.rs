//! What a command that takes its time tells its user, with the seconds since its start.

use std::io::Write;
use std::time::Instant;

/// Prints lines such as ` 3.4 s  customer/-80: primary customer-x-80-1`.
#[derive(Debug)]
pub(crate) struct Progress {
    started: Instant,
    /// Whether standard output is for the result alone.
    on_stderr: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            on_stderr: false,
        }
    }

    pub(crate) fn on_stderr() -> Self {
        Self {
            on_stderr: true,
            ..Self::new()
        }
    }

    /// One step, with its time.
    pub(crate) fn step(&self, text: &str) {
        self.line(&format!("{:5.1} s  {text}", self.started.elapsed().as_secs_f64()));
    }

    /// A line as it is.
    pub(crate) fn line(&self, text: &str) {
        if self.on_stderr {
            print(std::io::stderr().lock(), text);
        } else {
            print(std::io::stdout().lock(), text);
        }
    }
}

/// The output may be a pipe whose reader went away, which is no reason to stop a cluster.
fn print(mut out: impl Write, text: &str) {
    writeln!(out, "{text}").and_then(|()| out.flush()).ok();
}
