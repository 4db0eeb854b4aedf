//! The dashboard in a real browser: headless Chromium by its own driver, as a person clicks.

mod pages;

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
use silta::dev::sandbox::OrderSpec;

use crate::harness::{CONNECTION, OPERATOR, TestSilta, VIEWER};

/// Deque's accessibility rules, version 4 (MPL-2.0, its notification is in the file).
const AXE: &str = include_str!("axe.min.js");

/// How a browser differs from the options.
#[derive(Clone, Copy)]
pub struct Look {
    pub language: &'static str,
    pub dark: bool,
    pub narrow: bool,
}

pub const ENGLISH: Look = Look { language: "en", dark: false, narrow: false };
pub const FINNISH: Look = Look { language: "fi", ..ENGLISH };

/// A browser; its driver dies with it.
pub struct Browser {
    pub client: Client,
    driver: Child,
    port: u16,
    url: String,
}

impl Browser {
    pub async fn open(silta: &TestSilta, look: Look) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver: `make setup` installs it (Debian: chromium-driver)");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next().expect("it says its port").unwrap();
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').parse::<u16>().expect("a port");
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        let width = if look.narrow { 390 } else { 1280 };
        let scheme = i32::from(!look.dark);
        let args = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--hide-scrollbars".to_owned(),
            format!("--window-size={width},900"),
            format!("--accept-lang={}", look.language),
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

    pub async fn signed_in(silta: &TestSilta, look: Look) -> Self {
        let browser = Self::open(silta, look).await;
        browser.sign_in(OPERATOR).await;
        browser
    }

    pub async fn open_page(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.url)).await.unwrap();
    }

    pub async fn sign_in(&self, token: &str) {
        self.open_page("/").await;
        self.types("#token", token).await;
        self.clicks(".sign-in button").await;
    }

    pub async fn sees(&self, css: &str) -> Element {
        self.client
            .wait()
            .for_element(Locator::Css(css))
            .await
            .unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    pub async fn types(&self, css: &str, text: &str) {
        self.sees(css).await.send_keys(text).await.unwrap();
    }

    pub async fn clicks(&self, css: &str) {
        self.sees(css).await.click().await.unwrap();
    }

    pub async fn text(&self, css: &str) -> String {
        self.sees(css).await.text().await.unwrap()
    }

    /// Faults that axe-core calls serious or critical, each with where it is.
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

    /// A picture of the whole page, where a directory for pictures is named.
    pub async fn shoots(&self, name: &str) {
        let Some(directory) = std::env::var_os("SILTA_SCREENSHOTS").map(PathBuf::from) else { return };
        let height =
            self.client.execute("return document.documentElement.scrollHeight", Vec::new()).await.unwrap();
        let (width, _) = self.client.get_window_size().await.unwrap();
        let height = u32::try_from(height.as_u64().unwrap()).unwrap().clamp(700, 3000);
        self.client.set_window_size(u32::try_from(width).unwrap(), height + 20).await.unwrap();
        std::fs::create_dir_all(&directory).unwrap();
        let picture = self.client.screenshot().await.unwrap();
        std::fs::write(directory.join(format!("{name}.png")), picture).unwrap();
        self.client.set_window_size(u32::try_from(width).unwrap(), 900).await.unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // By its own word, and not by a signal: that would leave its Chromium behind.
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

/// Orders by a shipping method that no rule matches, dead.
async fn start_with_unmapped_orders(many: usize) -> (TestSilta, Vec<u64>) {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 1000);
    let mut orders = Vec::new();
    for _ in 0..many {
        orders.push(silta.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None)).await);
    }
    (silta, orders)
}

async fn fix_shipping_method_and_replay_orders(look: Look, delivered: &str) {
    let (silta, orders) = start_with_unmapped_orders(3).await;
    let browser = Browser::open(&silta, look).await;
    browser.open_page("/attention").await;
    // The endpoint first, and from there to where they wanted to go.
    browser.types("#token", "nobody knows this one").await;
    browser.clicks(".sign-in button").await;
    browser.sees(".error").await;
    browser.types("#token", OPERATOR).await;
    browser.clicks(".sign-in button").await;
    browser.clicks(".causes h2 a").await;
    // What waits is shown before anything is done about it.
    assert_eq!(browser.client.find_all(Locator::Css("tbody tr")).await.unwrap().len(), 3);
    browser.types("input[name=code]", "Posti Parcel").await;
    browser.clicks("form.card button.primary").await;
    browser.sees(".verdict.good").await;
    browser.clicks("button[value=all]").await;
    assert!(browser.text(".lead b").await.starts_with("0 / 3"));
    silta.run_until_idle().await;
    // With its script the page comes to the end by itself.
    let all = Locator::XPath("//b[normalize-space()='3 / 3']");
    browser.client.wait().for_element(all).await.unwrap();
    for order in &orders {
        assert_eq!(silta.warehouse_count(*order), 1);
        ships(&silta, *order).await;
    }
    silta.run_until_idle().await;
    browser.open_page("/orders?status=delivered").await;
    assert_eq!(browser.client.find_all(Locator::Css("tbody tr")).await.unwrap().len(), 3);
    assert_eq!(browser.text("tbody .state").await, delivered);
    browser.open_page("/attention").await;
    browser.sees(".verdict.good").await;
    assert_eq!(silta.lost_and_doubled(), (0, 0));
}

#[tokio::test]
async fn operator_fixes_a_cause_and_replays_its_orders() {
    fix_shipping_method_and_replay_orders(ENGLISH, "delivered").await;
}

#[tokio::test]
async fn operator_fixes_a_cause_and_replays_its_orders_in_finnish() {
    fix_shipping_method_and_replay_orders(FINNISH, "toimitettu").await;
}

#[tokio::test]
async fn viewer_sees_every_page_without_buttons() {
    let (silta, _) = start_with_unmapped_orders(1).await;
    let browser = Browser::open(&silta, ENGLISH).await;
    browser.sign_in(VIEWER).await;
    for path in
        ["/attention/cause?reason=shipping_unmapped", "/connections", "/products", "/tasks?state=dead"]
    {
        browser.open_page(path).await;
        browser.sees(".note").await;
        let buttons = browser.client.find_all(Locator::Css("main form[method=post]")).await.unwrap();
        assert_eq!(buttons.len(), 0, "{path}");
    }
}

#[tokio::test]
async fn counts_update_without_a_reload() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 1000);
    let browser = Browser::signed_in(&silta, ENGLISH).await;
    browser.sees("h1").await;
    silta.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None)).await;
    let badge = Locator::XPath("//span[@class='badge' and not(@hidden) and normalize-space()='1']");
    browser.client.wait().for_element(badge).await.unwrap();
}

/// The warehouse ships an order, and tells of it.
async fn ships(silta: &TestSilta, order: u64) {
    let reference = format!("{CONNECTION}-{order}");
    assert!(silta.warehouse.ship_order(&reference));
    silta.send_webhook(silta.warehouse.order_shipped(&reference)).await;
}

/// The driver's JSON, for the pages' own assertions.
pub async fn script(browser: &Browser, text: &str) -> Value {
    browser.client.execute(text, Vec::new()).await.unwrap()
}
