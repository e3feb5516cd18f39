//! Every exit code, in one place: what a script or a CI job can rely on.
//!
//! A call may meet several of them; the weightiest is the answer, in an order that is not that of
//! the numbers.

use std::process::ExitCode;

use crate::running::outcome::Cause;

/// How a call ended. 5 (a session is locked by another run past the wait; weightier than 3) and
/// 6 (snapshots are new and await review; weightier than 0) are reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exit {
    /// 0: everything passed.
    #[default]
    Passed,
    /// 1: a check failed: a status, an expectation, a snapshot that differs, `fail`.
    CheckFailed,
    /// 2: the command line is wrong, or a workflow that `check` refuses.
    Usage,
    /// 3: it could not run: network, TLS, a script's error, a limit, a file, nothing to extract.
    CouldNotRun,
    /// 4: a 401, a 407 or an OAuth refusal that nobody expected.
    Authentication,
    /// 130: Ctrl-C, as shells number it, or SIGTERM.
    Interrupted,
}

impl Exit {
    /// Every exit and what it means.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Passed, "everything passed"),
        (Self::CheckFailed, "a check failed: a status, an expectation, `fail`"),
        (Self::Usage, "the command line is wrong, or a workflow that `check` refuses"),
        (
            Self::CouldNotRun,
            "it could not run: network, TLS, a script's error, a limit, a file, nothing to extract",
        ),
        (Self::Authentication, "a 401, a 407 or an OAuth refusal that nobody expected"),
        (Self::Interrupted, "interrupted by Ctrl-C or SIGTERM"),
    ];

    /// The number that the calling process sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::CheckFailed => 1,
            Self::Usage => 2,
            Self::CouldNotRun => 3,
            Self::Authentication => 4,
            Self::Interrupted => 130,
        }
    }

    /// The weightier of two: 130, 2, 4, 3, 1, 0.
    #[must_use]
    pub const fn worst(self, other: Self) -> Self {
        if other.weight() > self.weight() { other } else { self }
    }

    const fn weight(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::CheckFailed => 1,
            Self::CouldNotRun => 2,
            Self::Authentication => 3,
            Self::Usage => 4,
            Self::Interrupted => 5,
        }
    }
}

impl From<Cause> for Exit {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::CheckFailed => Self::CheckFailed,
            Cause::CouldNotRun => Self::CouldNotRun,
            Cause::Authentication => Self::Authentication,
            Cause::Usage => Self::Usage,
            Cause::Interrupted => Self::Interrupted,
        }
    }
}

impl From<Option<Cause>> for Exit {
    fn from(cause: Option<Cause>) -> Self {
        cause.map_or(Self::Passed, Self::from)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weightiest first.
    const ORDER: [(Exit, u8); 6] = [
        (Exit::Interrupted, 130),
        (Exit::Usage, 2),
        (Exit::Authentication, 4),
        (Exit::CouldNotRun, 3),
        (Exit::CheckFailed, 1),
        (Exit::Passed, 0),
    ];

    #[test]
    fn the_weightiest_cause_wins_whichever_came_first() {
        for (at, (heavy, code)) in ORDER.iter().enumerate() {
            assert_eq!(heavy.code(), *code);
            for (light, _) in &ORDER[at..] {
                assert_eq!(heavy.worst(*light), *heavy, "{heavy:?} and {light:?}");
                assert_eq!(light.worst(*heavy), *heavy, "{light:?} and {heavy:?}");
            }
        }
    }

    #[test]
    fn causes_and_exits_agree_on_which_outranks_which() {
        let causes =
            [Cause::CheckFailed, Cause::CouldNotRun, Cause::Authentication, Cause::Usage, Cause::Interrupted];
        for a in causes {
            for b in causes {
                assert_eq!(Exit::from(a).worst(Exit::from(b)), Exit::from(a.max(b)), "{a:?} and {b:?}");
            }
        }
        assert_eq!(Exit::from(None), Exit::Passed);
    }
}
