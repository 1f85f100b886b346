//! Names of people, keys and roles, which people tell apart by looking at them.

/// Whether it may be a name: 1 to `longest` characters, none of which is a control character or invisible.
#[must_use]
pub fn is_name(text: &str, longest: usize) -> bool {
    let characters = text.chars().count();
    !text.trim().is_empty() && characters <= longest && !text.chars().any(|letter| letter.is_control() || is_invisible(letter))
}

/// Whether nobody sees the character, or only by what it does to others: it joins, hides, turns round or tags them. Somebody could be called
/// like somebody else but for such ones.
#[must_use]
pub const fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{00AD}'                  // soft hyphen
        | '\u{034F}'                // combining grapheme joiner
        | '\u{0600}'..='\u{0605}' | '\u{06DD}' | '\u{070F}' | '\u{0890}'..='\u{0891}' | '\u{08E2}' // number and other format signs
        | '\u{061C}'                // Arabic letter mark
        | '\u{115F}'..='\u{1160}' | '\u{3164}' | '\u{FFA0}' // Hangul fillers
        | '\u{17B4}'..='\u{17B5}'   // Khmer inherent vowels
        | '\u{180B}'..='\u{180F}'   // Mongolian selectors
        | '\u{200B}'..='\u{200F}'   // zero width, and marks of direction
        | '\u{2028}'..='\u{202E}'   // separators of lines and paragraphs, embeddings and overrides of direction
        | '\u{2060}'..='\u{206F}'   // word joiner, invisible operators, isolates of direction
        | '\u{2800}'                // blank Braille pattern
        | '\u{FE00}'..='\u{FE0F}'   // variation selectors
        | '\u{FEFF}'                // zero width no-break space
        | '\u{FFF0}'..='\u{FFFB}'   // interlinear annotation, and what is not assigned before it
        | '\u{110BD}' | '\u{110CD}' | '\u{13430}'..='\u{1345F}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' // format signs
        | '\u{E0000}'..='\u{E0FFF}' // tags, further variation selectors
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_is_seen_of_them() {
        for name in ["Ann", "Zoë Müller-Lüdenscheidt", "李小龍", "محمد", "O'Neill", "e\u{301}", "x", "🦀"] {
            assert!(is_name(name, 200), "{name}");
        }
        for letter in [
            "\u{200b}",
            "\u{200d}",
            "\u{202e}",
            "\u{2066}",
            "\u{ad}",
            "\u{feff}",
            "\u{e0041}",
            "\u{3164}",
            "\u{fe0f}",
            "\u{7}",
            "\n",
        ] {
            assert!(!is_name(&format!("ro{letter}ot"), 200), "{letter:?}");
        }
        assert!(!is_name("", 200) && !is_name("  ", 200) && !is_name("abc", 2));
    }
}
