//! Passwords that one rule describes: repeated, or counted along the alphabet, the digits or the keyboard.

use super::LEAST_CHARACTERS;

/// Along which one counts, forwards or backwards; digits begin again after nine.
const RUNS: [&str; 7] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiop[]asdfghjkl;'zxcvbnm,./",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "!@#$%^&*()",
];

/// How many characters in a row count as counted.
const LEAST_RUN: usize = 3;

/// How many characters beside the counted ones make a password one of its own.
const LEAST_UNCOUNTED: usize = 4;

/// How many different characters there must be.
const LEAST_DIFFERENT: usize = 5;

/// Whether one rule describes it; it is in lower case.
pub(super) fn is_pattern(password: &str) -> bool {
    let characters: Vec<char> = password.chars().collect();
    let mut different = characters.clone();
    different.sort_unstable();
    different.dedup();
    if different.len() < LEAST_DIFFERENT {
        return true;
    }
    is_repeated(&characters) || uncounted(&characters) < LEAST_UNCOUNTED
}

/// Whether it is something too short, over and over; the last time may be cut off.
fn is_repeated(characters: &[char]) -> bool {
    let longest = (characters.len() / 2).min(LEAST_CHARACTERS - 1);
    (1..=longest).any(|unit| characters.iter().zip(&characters[unit..]).all(|(one, next)| one == next))
}

/// How many characters stand in no run.
fn uncounted(characters: &[char]) -> usize {
    let (mut at, mut uncounted) = (0, 0);
    while at < characters.len() {
        let run = longest_run(&characters[at..]);
        if run < LEAST_RUN {
            uncounted += 1;
            at += 1;
        } else {
            at += run;
        }
    }
    uncounted
}

/// How many of the first characters are counted along one run, or are the same.
fn longest_run(characters: &[char]) -> usize {
    let same = characters.iter().take_while(|c| **c == characters[0]).count();
    let along = |steps: &[char]| {
        let from = |start: usize| steps[start..].iter().zip(characters).take_while(|(step, found)| step == found).count();
        (0..steps.len()).map(from).max().unwrap_or(0)
    };
    let runs = RUNS.iter().map(|run| {
        let forwards: Vec<char> = run.chars().collect();
        let backwards: Vec<char> = run.chars().rev().collect();
        along(&forwards).max(along(&backwards))
    });
    runs.max().unwrap_or(0).max(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_unit_may_come_twice() {
        assert!(is_pattern("gx7-ttmq-49gx7-ttmq-49"), "eleven characters");
        assert!(!is_pattern("gx7-ttmq-49vgx7-ttmq-49v"), "twelve are enough by themselves");
    }

    #[test]
    fn what_is_mostly_counted_is_a_pattern() {
        assert!(is_pattern("xx1234567890"));
        assert!(is_pattern("poiuytrewqlk"));
        assert!(!is_pattern("otter-1234-lamp"));
    }
}
