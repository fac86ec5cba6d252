//! What a comparison of names says, in words for people; and the rule for names that are nearly the same.

use super::{
    Signal, SignalKind,
    align::{Link, Pair},
    index::{Form, Index, Looked},
    normalise::Name,
    score::{Comparison, Doubt, SIMILAR, Tier},
    tables::Class,
};

/// Adds what speaks for two names being the same business's.
pub fn for_name(comparison: &Comparison, name: &Name, form: &Form, index: &Index, signals: &mut Vec<Signal>) {
    let whole = |kind, what: &str| Signal {
        kind,
        weight: comparison.score,
        detail: format!("“{}” {what}", form.name.verbatim),
    };
    match comparison.tier {
        Tier::Verbatim => signals.push(whole(SignalKind::SameName, "is the same name")),
        Tier::Exact => signals.push(whole(SignalKind::ExactName, "is the same after normalising")),
        Tier::Reordered => signals.push(whole(SignalKind::WordOrder, "has the same words in another order")),
        Tier::Spacing => signals.push(whole(SignalKind::Spacing, "is the same, divided into words otherwise")),
        Tier::Acronym => signals.push(whole(SignalKind::Initials, "and its initials")),
        Tier::Similar => {
            let weight = |pair: &Pair| -> f64 {
                (pair.client.0..pair.client.0 + pair.client.1).map(|at| index.weight(form.words[at])).sum::<f64>()
                    * pair.alike
            };
            let all: f64 = comparison.alignment.pairs.iter().map(weight).sum();
            for (link, kind) in [
                (Link::Same, SignalKind::SharedWords),
                (Link::Spacing, SignalKind::SharedWords),
                (Link::Typing, SignalKind::Typing),
                (Link::Abbreviation, SignalKind::Abbreviation),
                (Link::Cut, SignalKind::Cut),
                (Link::Initials, SignalKind::Initials),
            ] {
                let pairs = || comparison.alignment.pairs.iter().filter(|pair| pair.link == link);
                let part = pairs().map(weight).sum::<f64>();
                if part > 0.0 {
                    let words = |name: &Name, (from, count): (usize, usize)| {
                        name.tokens[from..from + count]
                            .iter()
                            .map(|token| token.text.as_str())
                            .collect::<Vec<_>>()
                            .join(" ")
                    };
                    let shown = pairs().map(|pair| match (words(name, pair.subject), words(&form.name, pair.client)) {
                        (one, two) if one == two => one,
                        (one, two) => format!("{one} = {two}"),
                    });
                    let detail = shown.collect::<Vec<_>>().join(", ");
                    signals.push(Signal { kind, weight: comparison.score * part / all, detail });
                }
            }
        }
    }
}

/// Adds what speaks against it.
pub fn against_name(comparison: &Comparison, name: &Name, form: &Form, against: &mut Vec<Signal>) {
    let left = |name: &Name, left: &[usize], keep: &dyn Fn(Class) -> bool| {
        let words = left.iter().map(|at| &name.tokens[*at]).filter(|token| keep(token.class));
        let words = words.map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ");
        if words.is_empty() { "nothing".to_owned() } else { words }
    };
    let versus = |keep: &dyn Fn(Class) -> bool| {
        let alignment = &comparison.alignment;
        format!(
            "{} here, {} there",
            left(name, &alignment.subject_left, keep),
            left(&form.name, &alignment.client_left, keep)
        )
    };
    let mut before = comparison.score;
    for doubt in comparison.doubts.iter().rev() {
        let (kind, detail) = match doubt {
            Doubt::Country(_) => {
                (SignalKind::OtherCountry, format!("{} here, {} there", name.legal.words, form.name.legal.words))
            }
            Doubt::LegalForm(_) => {
                (SignalKind::OtherLegalForm, format!("{} here, {} there", name.legal.words, form.name.legal.words))
            }
            Doubt::Number(_) | Doubt::OneNumber(_) => {
                (SignalKind::OtherNumber, versus(&|class| class == Class::Number))
            }
            Doubt::Place(_) => (SignalKind::OtherPlace, versus(&|class| class == Class::Place)),
            Doubt::Word(_) => (SignalKind::OtherWord, versus(&|class| matches!(class, Class::Plain | Class::Trade))),
            Doubt::OnlyCommonWords(_) => {
                (SignalKind::OnlyCommonWords, "only words that many businesses have".to_owned())
            }
        };
        let weight = before / doubt.factor() - before;
        before += weight;
        against.push(Signal { kind, weight, detail });
    }
    let alignment = &comparison.alignment;
    if !(alignment.subject_left.is_empty() && alignment.client_left.is_empty()) {
        against.push(Signal {
            kind: SignalKind::LeftOver,
            weight: (SIMILAR - before).max(0.0),
            detail: versus(&|_| true),
        });
    }
}

/// The rule of [`SignalKind::NearlyExact`], but for the distance to other clients.
pub fn nearly_exact(comparison: &Comparison, name: &Name, looked: &[Looked], form: &Form) -> bool {
    let alignment = &comparison.alignment;
    if comparison.tier != Tier::Similar
        || !comparison.doubts.is_empty()
        || !alignment.subject_left.is_empty()
        || !alignment.client_left.is_empty()
    {
        return false;
    }
    let (mut equal, mut slips) = (0, 0);
    for pair in &alignment.pairs {
        let (ours, theirs) = (&name.tokens[pair.subject.0], &form.name.tokens[pair.client.0]);
        match pair.link {
            Link::Same | Link::Spacing => equal += usize::from(theirs.class != Class::Filler),
            Link::Typing if !looked[pair.subject.0].known && is_slip(&ours.plain, &theirs.plain) => slips += 1,
            _ => return false,
        }
    }
    equal > 0 && slips <= 1
}

/// Whether two words of six letters or more differ by one slip of a finger that makes no other name: letters exchanged,
/// lost, added or mistaken, but not at the beginning, not a doubled or silent letter (Philips, Thomson, Browne) and not a
/// letter for one that sounds like it (Larsen, Smyth, Karl).
fn is_slip(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let (short, long) = if one.len() <= other.len() { (&one, &other) } else { (&other, &one) };
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    let (a, b) = (&short[same..], &long[same..]);
    if short.len() < 5 || long.len() < 6 || same == 0 {
        return false;
    }
    match (a, b) {
        (a, [added, rest @ ..]) if a == rest => !"hestpd".contains(*added) && long[same - 1] != *added,
        ([x, a @ ..], [y, b @ ..]) if a == b => {
            let alike = ["aeiouyj", "ckqg", "szcx", "dt", "vwf", "bp", "mn"];
            !alike.iter().any(|group| group.contains(*x) && group.contains(*y))
        }
        ([x1, x2, a @ ..], [y1, y2, b @ ..]) => a == b && (x1, x2) == (y2, y1),
        _ => false,
    }
}
