//! Chromium and its driver: started by the tests, gone with them.

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

const DRIVER: &str = "/usr/bin/chromedriver";
const BROWSER: &str = "/usr/bin/chromium";
/// How long a page may take on a busy machine before the test gives up; nothing waits that long.
const PATIENCE: Duration = Duration::from_secs(120);

/// One driver a process, on a port that the system chose.
static RUNNING: LazyLock<Driver> = LazyLock::new(Driver::start);

struct Driver {
    port: u16,
    /// Its standard input is a pipe from this process: when that closes, however we end, the shell stops the driver,
    /// and the driver its browsers.
    _shell: Child,
}

impl Driver {
    fn start() -> Self {
        for (program, package) in [(DRIVER, "chromium-driver"), (BROWSER, "chromium")] {
            assert!(
                Path::new(program).exists(),
                "{program} is missing: install the Debian packages chromium and chromium-driver \
                 (`make test` does); this one comes with {package}"
            );
        }
        let script = format!(
            "{DRIVER} --port=0 2>/dev/null & driver=$!; cat >/dev/null; kill $driver; wait $driver"
        );
        let mut shell = Command::new("/bin/sh")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // It says that the driver was terminated: that is the purpose.
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(shell.stdout.take().unwrap()).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, rest) = line.split_once("successfully on port ")?;
                rest.trim_end_matches('.').parse().ok()
            })
            .unwrap_or_else(|| panic!("{DRIVER} said no port"));
        // Read on, so that the driver never writes into a pipe that nobody empties.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            port,
            _shell: shell,
        }
    }
}

/// A browser with an empty profile.
pub struct Chromium {
    pub client: Client,
    session: String,
    http: reqwest::Client,
    _profile: tempfile::TempDir,
}

impl Chromium {
    /// A usual one, whose person reads Italian.
    pub async fn start() -> Self {
        Self::with(json!({"intl.accept_languages": "it"})).await
    }

    /// One that runs no scripts.
    pub async fn without_scripts() -> Self {
        let prefs = json!({
            "intl.accept_languages": "it",
            "profile.managed_default_content_settings.javascript": 2,
        });
        Self::with(prefs).await
    }

    async fn with(prefs: Value) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let folder = format!("--user-data-dir={}", profile.path().display());
        let capabilities = json!({
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {
                "binary": BROWSER,
                "prefs": prefs,
                "args": [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                    "--disable-background-networking", "--disable-component-update", "--disable-sync",
                    "--disable-dev-shm-usage", "--hide-scrollbars",
                    // The pages scroll at once then: a click meets what it is meant for.
                    "--force-prefers-reduced-motion", "--window-size=1280,900", folder,
                ],
            },
        });
        let Value::Object(capabilities) = capabilities else {
            unreachable!()
        };
        let client = ClientBuilder::native()
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", RUNNING.port))
            .await
            .unwrap();
        let session = client.session_id().await.unwrap().unwrap();
        Self {
            client,
            session,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            _profile: profile,
        }
    }

    /// Goes to an address.
    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Waits until the page has an element.
    pub async fn see(&self, css: &str) -> Element {
        let found = self
            .client
            .wait()
            .at_most(PATIENCE)
            .every(Duration::from_millis(20))
            .for_element(Locator::Css(css))
            .await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("{css}: {error}; {}", self.describe().await),
        }
    }

    /// Whether the page has an element now.
    pub async fn has(&self, css: &str) -> bool {
        !self
            .client
            .find_all(Locator::Css(css))
            .await
            .unwrap()
            .is_empty()
    }

    /// Clicks with the mouse.
    pub async fn click(&self, css: &str) {
        let element = self.see(css).await;
        if let Err(error) = element.click().await {
            panic!("{css}: {error}; {}", self.describe().await);
        }
    }

    /// Clicks what leads to another page, and waits until this one is gone: what is asked next is asked of the other.
    pub async fn follow(&self, css: &str) {
        let element = self.see(css).await;
        if let Err(error) = element.click().await {
            panic!("{css}: {error}; {}", self.describe().await);
        }
        let until = Instant::now() + PATIENCE;
        while element.tag_name().await.is_ok() {
            assert!(Instant::now() < until, "{css}: {}", self.describe().await);
        }
    }

    /// Empties a field and types.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.see(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// What an element shows.
    pub async fn text(&self, css: &str) -> String {
        self.see(css).await.text().await.unwrap()
    }

    /// The path of the address, without the query.
    pub async fn path(&self) -> String {
        self.client.current_url().await.unwrap().path().to_owned()
    }

    /// Runs a script in the page.
    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// The width of the screen, in CSS pixels.
    pub async fn set_width(&self, pixels: u32) {
        let metrics =
            json!({"width": pixels, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    /// A picture of the whole page.
    pub async fn picture(&self) -> Vec<u8> {
        let options = json!({"format": "png", "captureBeyondViewport": true});
        let answer = self.devtools("Page.captureScreenshot", options).await;
        data_encoding::BASE64
            .decode(answer["data"].as_str().unwrap().as_bytes())
            .unwrap()
    }

    /// Puts a picture of the whole page into `build/screenshots`.
    pub async fn keep_picture(&self, name: &str) {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("build/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), self.picture().await).unwrap();
    }

    /// Keeps scripts with such an address from loading; an empty address lets all load again.
    pub async fn block(&self, address: &str) {
        self.devtools("Network.enable", json!({})).await;
        let addresses: Vec<&str> = Some(address)
            .filter(|one| !one.is_empty())
            .into_iter()
            .collect();
        self.devtools("Network.setBlockedURLs", json!({"urls": addresses}))
            .await;
    }

    /// Shows the page as it would be on paper (`print`), or as usual (an empty name).
    pub async fn show_as(&self, medium: &str) {
        self.devtools("Emulation.setEmulatedMedia", json!({"media": medium}))
            .await;
    }

    /// Plugs a security key in that answers by itself (WebAuthn §11.3); what the driver calls it.
    pub async fn plug_key_in(&self) -> String {
        let key = json!({
            "protocol": "ctap2", "transport": "usb", "hasResidentKey": true, "hasUserVerification": true,
            "isUserConsenting": true, "isUserVerified": true,
        });
        let id = self.driver("webauthn/authenticator", key).await;
        id.as_str().unwrap().to_owned()
    }

    /// Whether the key verifies its holder from now on.
    pub async fn set_verified(&self, key: &str, verified: bool) {
        let body = json!({"isUserVerified": verified});
        let command = format!("webauthn/authenticator/{key}/uv");
        self.driver(&command, body).await;
    }

    /// What the browser logged since the last call, each with its source: violations of the content security policy,
    /// scripts' errors, failed requests.
    pub async fn console(&self) -> Vec<String> {
        let entries = self.driver("se/log", json!({"type": "browser"})).await;
        let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        entries
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| format!("{}: {}", text(entry, "source"), text(entry, "message")))
            .collect()
    }

    /// Asserts that the browser logged nothing.
    pub async fn expect_quiet(&self) {
        let logged = self.console().await;
        assert!(logged.is_empty(), "{logged:#?}; {}", self.describe().await);
    }

    /// Waits until the browser has logged the status of this page, which is a refusal; asserts that it logs nothing else.
    /// The log is written by another process than the page: it may come after it.
    pub async fn expect_status(&self, status: u16) {
        let expected = format!("status of {status}");
        let is_right = |line: &String| line.starts_with("network: ") && line.contains(&expected);
        let until = Instant::now() + PATIENCE;
        let mut logged = self.console().await;
        while logged.is_empty() && Instant::now() < until {
            logged = self.console().await;
        }
        assert!(
            logged.len() == 1 && logged.iter().all(is_right),
            "{logged:#?}; {}",
            self.describe().await
        );
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        self.driver("goog/cdp/execute", body).await
    }

    /// One of Chromium's own commands, which WebDriver has not.
    async fn driver(&self, command: &str, body: Value) -> Value {
        let url = format!(
            "http://127.0.0.1:{}/session/{}/{command}",
            RUNNING.port, self.session
        );
        let request = self
            .http
            .post(url)
            .header("content-type", "application/json")
            .body(body.to_string());
        let text = request.send().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert!(answer["value"]["error"].is_null(), "{command}: {text}");
        answer["value"].clone()
    }

    async fn describe(&self) -> String {
        let url = self.client.current_url().await;
        let source = self.client.source().await.unwrap_or_default();
        let main = source.split("<main").nth(1).unwrap_or(&source);
        format!(
            "at {}: {main}",
            url.map_or_else(|_| "?".to_owned(), |url| url.to_string())
        )
    }
}

impl Drop for Chromium {
    /// Ends the browser, when the test failed too.
    fn drop(&mut self) {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", RUNNING.port)) else {
            return;
        };
        let _unset = stream.set_read_timeout(Some(PATIENCE));
        let request = format!(
            "DELETE /session/{} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n",
            self.session, RUNNING.port
        );
        let _ended = stream
            .write_all(request.as_bytes())
            .and_then(|()| stream.read(&mut [0; 64]));
    }
}
