//! State machines as tables: what each of ClientOne's objects goes through is a list of steps and nothing else.

use crate::Error;

/// Declares an enum whose values have names, in columns and in the API.
macro_rules! named {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $what:literal])+ $value:ident = $text:literal),+ $(,)? }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $( $(#[doc = $what])+ $value ),+ }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$value),+];

            /// The name in the API and in columns.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$value => $text),+ }
            }

            /// The one of this name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == name)
            }
        }
    };
}
pub(super) use named;

/// An act that is not for the state something is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongState {
    /// What it is ("service request").
    pub what: &'static str,
    /// Its state.
    pub state: &'static str,
    /// What was tried.
    pub act: &'static str,
    /// What can be done instead.
    pub possible: Vec<&'static str>,
}

impl From<WrongState> for Error {
    fn from(refused: WrongState) -> Self {
        let WrongState { what, state, act, possible } = refused;
        let instead = match possible.as_slice() {
            [] => "nothing can be done with it any more".to_owned(),
            acts => format!("what can be done now is {}", acts.join(", ")),
        };
        let state = state.replace('_', " ");
        Self::conflict("wrong_state", format!("The {what} is {state}: {act} is not possible, {instead}."))
    }
}

/// The state after an act, by a table of steps.
pub(super) fn step<S, A>(
    what: &'static str,
    steps: &[(S, A, S)],
    state: S,
    state_name: fn(S) -> &'static str,
    act: A,
    act_name: fn(A) -> &'static str,
) -> Result<S, WrongState>
where
    S: Copy + PartialEq,
    A: Copy + PartialEq,
{
    let from_here = || steps.iter().filter(|(from, ..)| *from == state);
    if let Some((_, _, next)) = from_here().find(|(_, with, _)| *with == act) {
        return Ok(*next);
    }
    let possible = from_here().map(|(_, with, _)| act_name(*with)).collect();
    Err(WrongState { what, state: state_name(state), act: act_name(act), possible })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_can_be_done_instead() {
        let steps = [(1, 'a', 2), (1, 'b', 3)];
        let name = |state: i32| if state == 1 { "in_review" } else { "done" };
        let act_name = |act: char| if act == 'a' { "start" } else { "reject" };
        let go = |state: i32, act: char| step("request", &steps, state, name, act, act_name);
        assert_eq!(go(1, 'a'), Ok(2));
        let refused = go(1, 'c').expect_err("is not in the table");
        assert_eq!(refused.possible, ["start", "reject"]);
        assert!(Error::from(refused).to_string().contains("is in review"));
        assert!(
            Error::from(go(2, 'a').expect_err("ends")).to_string().ends_with("nothing can be done with it any more.")
        );
    }
}
