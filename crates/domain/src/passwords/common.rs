//! Passwords that many people use, and what they are made of. Written for this project: the words that are tried first, by what people
//! think of when they are asked for a password.

use std::collections::HashSet;
use std::sync::LazyLock;

/// The words, in lower case, without digits and punctuation at their ends.
const WORDS: &str = "
    password passwort passphrase passcode passwd motdepasse contrasena wachtwoord parola senha secret secrets geheim topsecret private
    letmein letmeinnow openup opensesame sesame access accessgranted enter entry login logon signin loginme welcome willkommen bienvenue
    welcomeback hello hallo bonjour hola helloworld goodbye please thankyou changeme changemenow changeit temp temporary default initial
    standard example sample test testing tester testtest demo trial guest visitor nobody anonymous unknown whatever nothing something
    admin administrator administration sysadmin superuser root rootroot toor system server master masterkey manager director support
    helpdesk service operator office company business work worker employee customer client user username account database backup oracle
    postgres mysql redis docker kubernetes linux windows ubuntu debian android apple microsoft google facebook amazon samsung nokia
    internet network wireless wifi router modem computer laptop keyboard monitor printer mobile telephone phone smartphone simcard
    lineshift carrier billing fleet sims devices telecom telco jasper pond revio
    iloveyou iloveu ilove loveyou loveme lovely lover love loveandpeace sweetheart sweetie darling honey baby babygirl babyboy angel princess
    prince queen king kingkong duchess beautiful gorgeous pretty handsome sexy friend friends bestfriend family mother father mommy daddy
    mama papa brother sister grandma grandpa children jesus jesuschrist christ god godisgood heaven blessed faith hope trust trustme
    trustno trustnoone believe miracle forever always never freedom liberty peace happy happiness smile sunshine sunflower flower flowers
    rose roses daisy lily violet cherry orange banana apricot strawberry chocolate cookie cookies coffee cheese pizza butter butterfly
    sugar pepper ginger cinnamon vanilla summer winter spring autumn january february march april june july august september october
    november december monday tuesday wednesday thursday friday saturday sunday today tomorrow yesterday morning midnight sommer
    frühling herbst montag freitag rainbow thunder lightning storm hurricane diamond crystal silver golden gold purple yellow green
    black white blue blueberry monkey dragon tiger lion eagle falcon hawk phoenix panther jaguar leopard cheetah wolf wolves bear
    horse horses pony unicorn dolphin shark whale penguin turtle rabbit bunny kitty kitten kittycat puppy doggy doggie chicken
    buster charlie max bella lucky rocky shadow maggie sophie molly daisydog snoopy mickey minnie donald garfield tweety pikachu pokemon
    batman superman spiderman ironman wonderwoman avengers hulk joker starwars darthvader skywalker yoda jedi matrix gandalf frodo
    hobbit hogwarts harrypotter potter dumbledore gryffindor merlin wizard magic mystic legend hero warrior soldier hunter ranger killer
    ninja samurai pirate captain general commander sniper assassin gamer minecraft fortnite roblox warcraft diablo zelda mario sonic
    nintendo playstation xbox tetris football fussball soccer baseball basketball hockey tennis golf golfer cricket rugby racing
    ferrari porsche mercedes bmw audi volkswagen toyota honda yamaha harley mustang corvette camaro chevy jeep
    liverpool chelsea arsenal barcelona realmadrid juventus bayern dortmund manchester manunited yankees cowboys steelers lakers patriots
    redsox eagles raiders packers london paris berlin newyork chicago dallas houston texas florida california california boston
    hollywood america american germany deutschland france england ireland scotland canada australia mexico brasil india
    michael michelle jennifer jessica ashley amanda nicole daniel matthew andrew joshua robert thomas william george james joseph
    anthony christopher alexander alexandra benjamin samantha elizabeth stephanie melissa rebecca hannah madison jordan taylor morgan
    justin brandon tyler austin jackson hunter cameron cooper peter patrick steven martin victor oliver oscar sebastian
    music guitar piano drummer metallica nirvana slipknot beatles elvis eminem rockstar rocknroll dancer dancing singer
    qwerty qwertz azerty qwertyuiop qwertzuiop asdf asdfgh asdfghjkl zxcvbn zxcvbnm yxcvbnm qazwsx qazwsxedc wsxedc abcd abcdef abcdefgh
    abcabc asdasd qweqwe qweasd qweasdzxc zaq zaqwsx xsw poiuyt mnbvcxz computerpassword mypassword yourpassword newpassword oldpassword
    thepassword nopassword passwordpassword passpass pass mypass password abc abcpassword one onetwothree onetwothreefour number
    money dollar dollars euro million millionaire rich success winner champion champ number forgot forgotten remember iforgot
    fuckyou fuckoff fuckme bullshit badboy badgirl goodboy goodgirl cool awesome amazing fantastic
    super superstar star stars startrek space galaxy universe planet earth moon sun rocket apollo pass thomas security secure safety
    password protected locked unlock unlocked keykey mykey key keys code codes pincode pin zugang einlass sicher sicherheit hallowelt
    schatz liebling iloveyousomuch teamo tequiero amor amore mivida princesa estrella corazon bonita jetaime soleil doudou chouchou
    loulou nicolas camille killerbee spider snake scorpion snowball snowman snow icecream candy lollipop marshmallow popcorn
";

/// Whether a password is such a word, or two of them, in whatever disguise; it is in lower case.
pub(super) fn is_common(password: &str) -> bool {
    let is_ornament = |c: char| !c.is_alphabetic();
    // What stands for a letter may stand at the end, too: `pa$$` would lose it, so that both ways are looked at.
    [password.trim_end_matches(is_ornament), password.trim_matches(is_ornament), password]
        .into_iter()
        .map(bare)
        .any(|bare| !bare.is_empty() && is_made_of_words(&bare))
}

/// Letters alone, with what usually stands for one put back; `i` and `l` are one, since `1` stands for both.
fn bare(text: &str) -> String {
    let letter = |c: char| match c {
        '0' => 'o',
        '1' | '!' | '|' | 'l' | 'i' => 'i',
        '2' => 'z',
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' | '§' => 's',
        '6' | '9' => 'g',
        '7' | '+' => 't',
        '8' => 'b',
        other => other,
    };
    text.chars().map(letter).filter(|c| c.is_alphabetic()).collect()
}

/// The words as they are compared.
static BARE_WORDS: LazyLock<HashSet<String>> = LazyLock::new(|| WORDS.split_whitespace().map(bare).collect());

fn is_made_of_words(text: &str) -> bool {
    let is_word = |part: &str| BARE_WORDS.contains(part);
    let mut cuts = text.char_indices().skip(1).map(|(at, _)| text.split_at(at));
    is_word(text) || cuts.any(|(first, second)| is_word(first) && is_word(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disguises_are_taken_off() {
        for bad in
            ["password", "pa$$word", "p4ssw0rd!", "drag0n2026", "2026-dragon", "monkeymonkey1", "l3tm31n", "passw0rd1!", "ad-min"]
        {
            assert!(is_common(bad), "{bad}");
        }
        for good in ["", "123456", "otterlamp", "dragonflywing", "correct horse battery staple"] {
            assert!(!is_common(good), "{good}");
        }
    }

    #[test]
    fn the_words_are_written_as_they_are_compared() {
        for word in WORDS.split_whitespace() {
            assert!(word.chars().all(char::is_lowercase), "{word}");
            assert!(is_common(word), "{word}");
        }
        assert!(WORDS.split_whitespace().count() > 500);
    }
}
