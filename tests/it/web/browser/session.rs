//! The dashboard in headless Chromium, driven by chromedriver.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use fantoccini::{Client, ClientBuilder, Locator, elements::Element};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::harness::{OPERATOR, TestSilta};

/// Deque's accessibility rules, version 4 (MPL-2.0; its licence notice is in the file).
const AXE: &str = include_str!("axe.min.js");

/// Chromium draws no window that is higher.
const MAX_HEIGHT: u32 = 16_384;

/// How a page is looked at.
#[derive(Clone, Copy)]
pub struct Appearance {
    pub language: &'static str,
    pub dark: bool,
    pub narrow: bool,
}

pub const ENGLISH: Appearance = Appearance { language: "en", dark: false, narrow: false };

pub const FINNISH: Appearance = Appearance { language: "fi", ..ENGLISH };

/// Starts a driver on a port that it chooses. `None` where another program took that port meanwhile: the driver ends then.
fn start_driver() -> Option<(Child, u16)> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver: `make setup` installs it (Debian: chromium-driver)");
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next() {
        let line = line.unwrap();
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            let port = port.trim_end_matches('.').parse().expect("a port");
            std::thread::spawn(move || lines.for_each(drop));
            return Some((driver, port));
        }
    }
    driver.wait().unwrap();
    None
}

/// A browser session; dropping it ends the driver.
pub struct Browser {
    pub client: Client,
    driver: Child,
    port: u16,
    url: String,
}

impl Browser {
    pub async fn open(silta: &TestSilta, appearance: Appearance) -> Self {
        let (driver, port) = (0..5).find_map(|_| start_driver()).expect("chromedriver names its port");
        let width = if appearance.narrow { 390 } else { 1280 };
        let scheme = i32::from(!appearance.dark);
        let args = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--hide-scrollbars".to_owned(),
            format!("--window-size={width},900"),
            format!("--accept-lang={}", appearance.language),
            format!("--blink-settings=preferredColorScheme={scheme}"),
        ];
        let mut wanted = serde_json::Map::new();
        wanted.insert("goog:chromeOptions".to_owned(), json!({ "args": args }));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(wanted)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap();
        client.set_window_size(width, 900).await.unwrap();
        Self { client, driver, port, url: silta.api.url.clone() }
    }

    pub async fn signed_in(silta: &TestSilta, appearance: Appearance) -> Self {
        let browser = Self::open(silta, appearance).await;
        browser.sign_in(OPERATOR).await;
        browser
    }

    pub async fn open_page(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.url)).await.unwrap();
    }

    pub async fn sign_in(&self, token: &str) {
        self.open_page("/").await;
        self.type_into("#token", token).await;
        self.click(".sign-in button").await;
        // The click does not wait for the answer, which would replace the page that is opened next.
        self.wait_for("main:not(:has(.sign-in)) h1, .sign-in [role=alert]").await;
    }

    pub async fn wait_for(&self, css: &str) -> Element {
        self.client
            .wait()
            .for_element(Locator::Css(css))
            .await
            .unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    pub async fn type_into(&self, css: &str, text: &str) {
        self.wait_for(css).await.send_keys(text).await.unwrap();
    }

    pub async fn click(&self, css: &str) {
        self.wait_for(css).await.click().await.unwrap();
    }

    /// The text of an element; looked for again where the page was refreshed just then.
    pub async fn text(&self, css: &str) -> String {
        for _ in 0..10 {
            if let Ok(text) = self.wait_for(css).await.text().await {
                return text;
            }
        }
        panic!("{css} is replaced again and again")
    }

    /// Violations that axe-core rates serious or critical, each with its place.
    pub async fn accessibility_faults(&self) -> Vec<String> {
        self.client.execute(AXE, Vec::new()).await.unwrap();
        let ask =
            "const done = arguments[arguments.length - 1]; axe.run().then(found => done(found.violations))";
        let found = self.client.execute_async(ask, Vec::new()).await.unwrap();
        let serious = found
            .as_array()
            .unwrap()
            .iter()
            .filter(|fault| matches!(fault["impact"].as_str(), Some("serious" | "critical")));
        serious.map(|fault| format!("{} at {}", fault["id"], fault["nodes"][0]["html"])).collect()
    }

    /// Saves a screenshot of the whole page if `SILTA_SCREENSHOTS` names a directory.
    pub async fn screenshot_page(&self, name: &str) {
        let Some(directory) = std::env::var_os("SILTA_SCREENSHOTS").map(PathBuf::from) else { return };
        let ask = "return document.documentElement.scrollHeight + outerHeight - innerHeight";
        let height = self.client.execute(ask, Vec::new()).await.unwrap().as_u64().unwrap();
        let (width, _) = self.client.get_window_size().await.unwrap();
        let [width, height] = [width, height].map(|length| u32::try_from(length).unwrap());
        self.client.set_window_size(width, height.clamp(900, MAX_HEIGHT)).await.unwrap();
        std::fs::create_dir_all(&directory).unwrap();
        let picture = self.client.screenshot().await.unwrap();
        std::fs::write(directory.join(format!("{name}.png")), picture).unwrap();
        self.client.set_window_size(width, 900).await.unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asks the driver to shut down: a signal would leave its Chromium running.
        let shut = TcpStream::connect(("127.0.0.1", self.port)).and_then(|mut driver| {
            driver.write_all(b"GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
            driver.set_read_timeout(Some(Duration::from_secs(10)))?;
            driver.read_to_end(&mut Vec::new())
        });
        if shut.is_err() {
            let _ = self.driver.kill();
        }
        let _ = self.driver.wait();
    }
}

/// Runs a script in the page and returns its value.
pub async fn script(browser: &Browser, text: &str) -> Value {
    browser.client.execute(text, Vec::new()).await.unwrap()
}
