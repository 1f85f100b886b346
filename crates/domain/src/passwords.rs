//! How strong a password must be at least. Judged when one is set, never when one is shown: a rule that grows harder locks nobody out.

mod common;
mod patterns;

use crate::refusal::Problem;
use common::is_common;
use patterns::is_pattern;

/// The fewest characters.
pub const LEAST_CHARACTERS: usize = 12;

/// The most characters: hashing takes time and memory by the length.
pub const MOST_CHARACTERS: usize = 128;

/// How many characters a password must have beside those of its owner's name and address.
const LEAST_OTHER_CHARACTERS: usize = 8;

/// The shortest part of a name or an address that is looked for.
const LEAST_OWN_CHARACTERS: usize = 4;

/// Everything that is wrong with a password for the person of that address and name, under the name of its field; nothing of the
/// password is repeated.
#[must_use]
pub fn password_problems(field: &str, password: &str, email: &str, name: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut refuse = |code: &str, message: String| problems.push(Problem::new(field, code, message));
    let characters = password.chars().count();
    if characters < LEAST_CHARACTERS {
        refuse(
            "password_too_short",
            format!("it has {characters} characters; give at least {LEAST_CHARACTERS}, such as four words"),
        );
    }
    if characters > MOST_CHARACTERS {
        refuse("password_too_long", format!("it has {characters} characters; give at most {MOST_CHARACTERS}"));
        return problems;
    }
    let lower = password.to_lowercase();
    if is_common(&lower) {
        refuse(
            "password_common",
            "many people use it or one like it, so that it is tried first; give one of your own".to_owned(),
        );
    }
    if is_pattern(&lower) {
        refuse(
            "password_pattern",
            "it repeats or counts, so that it is soon guessed; give words or characters without a pattern".to_owned(),
        );
    }
    if is_own_name(&lower, &email.to_lowercase(), &name.to_lowercase()) {
        refuse("password_own_name", "it is little more than your name or address; give one that nobody can look up".to_owned());
    }
    problems
}

/// Whether there is too little beside the owner's name and address.
fn is_own_name(password: &str, email: &str, name: &str) -> bool {
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    let joined: String = name.split_whitespace().collect();
    let parts = name.split_whitespace().chain(local.split(['.', '_', '-', '+'])).chain(domain.split('.'));
    let mut own: Vec<&str> = [email, local, name, joined.as_str()].into_iter().chain(parts).collect();
    own.retain(|part| part.chars().count() >= LEAST_OWN_CHARACTERS);
    // The longest first, so that no end of one is left over.
    own.sort_unstable_by_key(|part| std::cmp::Reverse(part.len()));
    let left = own.iter().fold(password.to_owned(), |left, part| left.replace(part, ""));
    left.len() < password.len() && left.chars().filter(|c| c.is_alphanumeric()).count() < LEAST_OTHER_CHARACTERS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(password: &str) -> Vec<String> {
        let problems = password_problems("password", password, "ada.lovelace@fleet.example", "Ada Lovelace");
        assert!(problems.iter().all(|problem| problem.field == "password"));
        problems.into_iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn what_nobody_else_would_think_of_is_taken() {
        for good in [
            "correct horse battery staple",
            "gx7-Ttmq-49vV",
            "vier Enten auf dem Dach",
            "пароль не простой, 7 уток",
            "Lovelace met a brown otter",
            "tall-window-sings-low",
            "x9#kq-lamp-otter-3",
        ] {
            assert!(codes(good).is_empty(), "{good}: {:?}", codes(good));
        }
    }

    #[test]
    fn the_length_is_counted_in_characters() {
        assert_eq!(codes("gx7-Ttmq-49"), ["password_too_short"]);
        assert!(codes("gx7-Ttmq-49v").is_empty());
        assert_eq!(codes("öäüéèêßñçåøæ"), [""; 0], "twelve characters of two bytes each");
        let long: String = (0..MOST_CHARACTERS).map(|nth| char::from(b'a' + (nth * nth % 23) as u8)).collect();
        assert!(codes(&long).is_empty());
        assert_eq!(codes(&format!("{long}q")), ["password_too_long"]);
    }

    #[test]
    fn common_ones_are_seen_through_their_disguise() {
        for bad in [
            "Password2024!",
            "P@ssw0rd12345",
            "123password123",
            "welcome-2026!!!",
            "Qwertyuiop123",
            "adminpassword",
            "LineShift2026!",
            "Il0veY0u!!!!1",
        ] {
            assert!(codes(bad).contains(&"password_common".to_owned()), "{bad}: {:?}", codes(bad));
        }
    }

    #[test]
    fn patterns_are_seen() {
        for bad in [
            "abcabcabcabc",
            "aaaaaaaaaaaaaa",
            "123456789012",
            "abcdefghijklmn",
            "qwertyuiop[]asdf",
            "1qaz2wsx3edc4rfv",
            "abcd1234efgh",
            "zyxwvutsrqponm",
        ] {
            assert!(codes(bad).contains(&"password_pattern".to_owned()), "{bad}: {:?}", codes(bad));
        }
    }

    #[test]
    fn ones_own_name_is_not_enough() {
        for bad in ["ada.lovelace@fleet.example", "AdaLovelace!2026", "lovelace-lovelace", "Ada Lovelace 1815", "fleet.lovelace1"]
        {
            assert!(codes(bad).contains(&"password_own_name".to_owned()), "{bad}: {:?}", codes(bad));
        }
    }

    #[test]
    fn every_problem_is_told_at_once_and_nothing_of_the_password() {
        assert_eq!(codes("admin"), ["password_too_short", "password_common"]);
        assert_eq!(codes(""), ["password_too_short", "password_pattern"]);
        for problem in password_problems("new_password", "letmein1", "a@b", "A") {
            assert!(!problem.message.contains("letmein"), "{}", problem.message);
            assert_eq!(problem.field, "new_password");
        }
    }
}
