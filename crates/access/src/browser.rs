//! Browser and system out of what a browser says of itself, by which someone recognises a session. Plain rules: what
//! is said cannot be trusted anyway, and a wrong guess harms nobody.

/// A browser's name by the word that tells it; the first that is found: most call themselves by others' names too.
const BROWSERS: [(&str, &str); 14] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python-requests/", "Python"),
    ("okhttp/", "OkHttp"),
];

/// The same for systems.
const SYSTEMS: [(&str, &str); 9] = [
    ("Windows", "Windows"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Mac OS X", "macOS"),
    ("FreeBSD", "FreeBSD"),
    ("Linux", "Linux"),
];

/// The browser, with its main version, and the system; each only if it is known.
pub fn browser_and_system(user_agent: &str) -> (Option<String>, Option<&'static str>) {
    let browser = BROWSERS.iter().find_map(|(word, name)| {
        let (_, rest) = user_agent.split_once(word)?;
        // Safari says its version elsewhere.
        let rest = match (*name, user_agent.split_once("Version/")) {
            ("Safari", Some((_, version))) => version,
            _ => rest,
        };
        let version: String = rest.chars().take_while(char::is_ascii_digit).take(4).collect();
        Some(if version.is_empty() { (*name).to_owned() } else { format!("{name} {version}") })
    });
    let system = SYSTEMS.iter().find(|(word, _)| user_agent.contains(word)).map(|(_, name)| *name);
    (browser, system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_use_is_recognised() {
        for (text, browser, system) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.87",
                Some("Edge 126"),
                Some("Windows"),
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
                Some("Safari 17"),
                Some("macOS"),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1",
                Some("Chrome 126"),
                Some("iOS"),
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
                Some("Firefox 128"),
                Some("Linux"),
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
                Some("Samsung Internet 25"),
                Some("Android"),
            ),
            ("curl/8.5.0", Some("curl 8"), None),
            ("Browser7", None, None),
            ("", None, None),
        ] {
            assert_eq!(browser_and_system(text), (browser.map(str::to_owned), system), "{text}");
        }
    }
}
