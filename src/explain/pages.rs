//! The texts of the dashboard's pages, in both languages.
//!
//! A text that is shown with a number holds its singular and its plural, separated by `|`: [`counted`] picks one.

use crate::domain::{language::Language, sync::SyncKind};

macro_rules! page_texts {
    ($($name:ident: $english:literal / $finnish:literal),+ $(,)?) => {
        /// The texts of the pages in one language.
        #[expect(missing_docs, reason = "each text says what it is")]
        pub struct PageTexts { $(pub $name: &'static str),+ }

        static ENGLISH: PageTexts = PageTexts { $($name: $english),+ };
        static FINNISH: PageTexts = PageTexts { $($name: $finnish),+ };
    };
}

/// The texts of the pages in a language.
pub const fn page_texts(language: Language) -> &'static PageTexts {
    match language {
        Language::English => &ENGLISH,
        Language::Finnish => &FINNISH,
    }
}

/// A number with its noun: `1 order`, `2 orders`.
pub fn counted(count: i64, noun: &str) -> String {
    let (one, many) = noun.split_once('|').unwrap_or((noun, noun));
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A number with one decimal.
pub fn decimal(number: f64, language: Language) -> String {
    let text = format!("{number:.1}");
    match language {
        Language::English => text,
        Language::Finnish => text.replace('.', ","),
    }
}

/// The kind of a sync.
pub const fn sync_kind_text(kind: SyncKind, texts: &PageTexts) -> &'static str {
    match kind {
        SyncKind::Products => texts.what_products,
        SyncKind::Stock => texts.what_stock,
        SyncKind::Orders => texts.what_orders,
    }
}

/// The state of a task or a sync.
pub fn state_text(state: &str, language: Language) -> String {
    let finnish = match state {
        "pending" => "odottaa",
        "leased" => "käsittelyssä",
        "in_doubt" => "epävarma",
        "skipped" => "ei tarvetta",
        "dead" => "pysähtynyt",
        "cancelled" => "peruttu",
        "running" => "käynnissä",
        "done" => "valmis",
        "failed" => "epäonnistui",
        other => other,
    };
    match language {
        Language::English => state.replace('_', " "),
        Language::Finnish => finnish.replace('_', " "),
    }
}

/// What differs between the two sides.
pub fn difference_text(difference: &str, language: Language) -> String {
    let finnish = match difference {
        "missing_at_warehouse" => "puuttuu varastolta",
        "vanished_at_warehouse" => "kadonnut varastolta",
        "differs_at_warehouse" => "eroaa varastolla",
        "renamed_in_shop" => "nimi vaihtunut kaupassa",
        "withheld" => "pidätetty",
        "figure_differs" => "varastosaldo eroaa",
        "falls_to_zero" => "menisi nollaan",
        "not_remembered" => "ei vielä kirjattu",
        "edited_in_shop" => "muokattu kaupassa",
        "cancelled_in_shop" => "peruttu kaupassa",
        "not_completed_in_shop" => "käsittelemättä kaupassa",
        "needs_attention" => "odottaa sinua",
        "unknown_in_shop" => "tuntematon kaupassa",
        "not_listed" => "ei luettelossa",
        "not_read" => "ei luettu",
        other => other,
    };
    match language {
        Language::English if difference == "needs_attention" => "needs attention".to_owned(),
        Language::English => difference.replace('_', " "),
        Language::Finnish => finnish.replace('_', " "),
    }
}

/// An order's status at a vendor, as that vendor spells it.
pub fn vendor_status_text(status: &str, language: Language) -> &str {
    match (language, status) {
        (Language::Finnish, "open") => "avoin",
        (Language::Finnish, "completed") => "käsitelty",
        (Language::Finnish, "New") => "uusi",
        (Language::Finnish, "Shipped") => "lähetetty",
        (_, status) => status,
    }
}

page_texts! {
    // The frame.
    overview: "Overview" / "Yleiskuva",
    orders: "Orders" / "Tilaukset",
    attention: "Needs attention" / "Odottaa sinua",
    tasks: "Tasks" / "Siirrot",
    events: "Events" / "Tapahtumat",
    products: "Products and stock" / "Tuotteet ja varastosaldot",
    connections: "Connections" / "Yhteydet",
    audit: "Audit" / "Muutosloki",
    skip: "Skip to content" / "Siirry sisältöön",
    menu: "Pages" / "Sivut",
    sign_in: "Sign in" / "Kirjaudu",
    sign_in_text: "Sign in with an admin token." / "Kirjaudu kirjautumisavaimella.",
    sign_out: "Sign out" / "Kirjaudu ulos",
    token: "Admin token" / "Kirjautumisavain",
    token_unknown: "Unknown token." / "Tuntematon kirjautumisavain.",
    too_many_attempts: "Too many attempts: wait a minute." / "Liian monta yritystä: odota minuutti.",
    not_found: "Page not found" / "Sivua ei löytynyt",
    not_found_text: "It does not exist, or its retention time is over." / "Sitä ei ole, tai sen säilytysaika on päättynyt.",
    not_allowed: "Only an operator may do this" / "Tähän tarvitaan muokkausoikeus",
    not_allowed_text: "Your token has the role viewer: it shows everything and changes nothing." / "Kirjautumisavaimellasi on katseluoikeus: näet kaiken, mutta et voi muuttaa mitään.",
    invalid_form: "The form was rejected" / "Lomaketta ei hyväksytty",
    invalid_form_text: "It was not sent from a page of your session, or a field is missing. Go back, reload the page and try again." / "Sitä ei lähetetty istuntosi sivulta, tai jokin kenttä puuttuu. Palaa takaisin, lataa sivu uudelleen ja yritä vielä.",
    conflict: "Not possible now" / "Ei onnistu juuri nyt",
    database_unavailable: "The database is unavailable" / "Tietokantaan ei saada yhteyttä",
    database_unavailable_text: "Nothing was changed. Webhooks are refused meanwhile; their senders will retry." / "Mitään ei muutettu. Webhookeja ei oteta vastaan sillä välin, ja lähettäjät yrittävät uudelleen.",
    to_overview: "To the overview" / "Yleiskuvaan",
    show_older: "Older" / "Vanhemmat",
    filter: "Filter" / "Rajaa",
    all: "all" / "kaikki",
    empty_list: "No results." / "Ei tuloksia.",
    viewer_note: "You can look at everything; changes need an operator's token." / "Näet kaiken; muutoksiin tarvitaan muokkausoikeus.",
    ago: "ago" / "sitten",
    from_now: "from now" / "kuluttua",
    never: "never" / "ei koskaan",
    // Numbers with their nouns.
    event_count: "event|events" / "tapahtuma|tapahtumaa",
    task_count: "task done|tasks done" / "valmis siirto|valmista siirtoa",
    dead_count: "stopped|stopped" / "pysähtynyt|pysähtynyttä",
    order_count: "order|orders" / "tilaus|tilausta",
    product_count: "product|products" / "tuote|tuotetta",
    stock_count: "stock figure|stock figures" / "varastosaldo|varastosaldoa",
    call_count: "call|calls" / "kutsu|kutsua",
    difference_count: "difference|differences" / "ero|eroa",
    last_day: "The last 24 hours" / "Viimeinen vuorokausi",
    // Overview.
    all_ok: "Everything is working." / "Kaikki toimii.",
    attention_needed: "Something needs your attention." / "Jokin odottaa sinua.",
    connection_stopped: "A connection is not working normally." / "Kaupan ja varaston välinen yhteys ei toimi normaalisti.",
    ok: "working" / "toimii",
    slow: "slow" / "hidas",
    paused: "paused" / "tauolla",
    circuit_open: "connection down" / "yhteys poikki",
    braked: "stock brake on" / "saldopäivitys keskeytetty",
    silent: "unusually quiet" / "poikkeuksellisen hiljaista",
    last_order_at: "Last order" / "Viimeisin tilaus",
    last_polled: "Last polled" / "Viimeksi tarkistettu",
    oldest_due: "Oldest due" / "Vanhin keskeneräinen",
    open_now: "Open" / "Kesken",
    rate: "Rate" / "Kutsutahti",
    calls_a_second: "calls a second" / "kutsua sekunnissa",
    no_differences: "no differences" / "ei eroja",
    last_sync: "Last sync" / "Viimeisin täsmäytys",
    to_shop: "shop" / "kauppa",
    to_warehouse: "warehouse" / "varasto",
    nothing_due: "none" / "ei mitään",
    no_connections: "No connection is configured yet." / "Yhteyksiä ei ole vielä määritetty.",
    // Orders.
    order: "Order" / "Tilaus",
    reference: "Reference" / "Viite",
    status: "Status" / "Tila",
    why: "Why" / "Syy",
    tracking: "Tracking code" / "Seurantatunnus",
    read_at: "Updated" / "Päivitetty",
    search_orders: "Number, reference or tracking code" / "Numero, viite tai seurantatunnus",
    search: "Search" / "Etsi",
    timeline: "History" / "Tapahtumahistoria",
    call_log: "Technical details for support" / "Tekniset tiedot asiakastukea varten",
    transfer: "Transfer to the warehouse" / "Siirrä varastolle",
    hold: "Hold" / "Laita odottamaan",
    release: "Release" / "Jatka käsittelyä",
    cancel_order: "Cancel the transfer" / "Peru siirto",
    refresh: "Update changes to online store" / "Päivitä muutokset verkkokauppaan",
    in_shop: "In the shop" / "Kaupassa",
    at_warehouse: "At the warehouse" / "Varastolla",
    // Needs attention.
    attention_none: "Nothing needs your attention." / "Sinun ei tarvitse tehdä mitään.",
    oldest: "oldest" / "vanhin",
    remedy: "What to do" / "Mitä tehdä",
    cause_dead: "stopped" / "pysähtynyt",
    cause_in_doubt: "in doubt" / "epävarma",
    cause_on_hold: "on hold" / "odottaa lupaa",
    fix_shipping: "Choose the warehouse's shipping code for this method" / "Valitse varaston toimitustapa tälle toimitustavalle",
    pattern: "Shipping method (* matches anything)" / "Toimitustapa (* vastaa mitä tahansa)",
    warehouse_code: "Shipping code at the warehouse" / "Varaston toimitustapa",
    pickup: "Delivered to the carrier's pickup point" / "Toimitus kuljetusyhtiön noutopisteeseen",
    save_rule: "Save the rule" / "Tallenna sääntö",
    rule_saved: "The rule is saved. Now release the orders that wait for it." / "Sääntö on tallennettu. Jatka nyt sitä odottavien tilausten käsittelyä.",
    release_all: "Release all" / "Jatka kaikkien käsittelyä",
    release_selected: "Release selected" / "Jatka valittujen käsittelyä",
    replay_all: "Replay all that match" / "Yritä kaikkia uudelleen",
    replay_selected: "Replay selected" / "Yritä valittuja uudelleen",
    select_all: "select all" / "valitse kaikki",
    oldest_shown: "Only the oldest are shown." / "Vain vanhimmat näytetään.",
    // Replays.
    replay: "Replay" / "Uudelleenyritys",
    replay_one: "Replay" / "Yritä uudelleen",
    replay_progress: "replayed" / "yritetty uudelleen",
    replay_cancel: "Cancel what has not started" / "Peru aloittamattomat",
    replay_cancelled_by: "Cancelled by" / "Perunut",
    succeeded: "succeeded" / "onnistui",
    dead_again: "stopped again" / "pysähtyi taas",
    still_open: "still open" / "vielä kesken",
    cancelled: "cancelled" / "peruttu",
    dry_run: "Dry run" / "Kokeile lähettämättä",
    dry_run_text: "What a replay would do now. Nothing was sent." / "Mitä uudelleenyritys tekisi nyt. Mitään ei lähetetty.",
    would_send: "The request it would send" / "Pyyntö, joka lähetettäisiin",
    nothing_sent: "It would send nothing." / "Mitään ei lähetettäisi.",
    difference: "Difference from the last request" / "Ero edelliseen pyyntöön",
    same_as_last: "The same as last time." / "Sama kuin viimeksi.",
    // Tasks and events.
    subject: "Subject" / "Kohde",
    connection: "Connection" / "Yhteys",
    kind: "Kind" / "Laji",
    state: "State" / "Tila",
    reason: "Reason" / "Syy",
    attempts: "Attempts" / "Yrityksiä",
    opened_at: "Created" / "Luotu",
    due_at: "Due" / "Vuorossa",
    settled_at: "Closed" / "Päättynyt",
    replay_of: "Replay of" / "Uudelleenyritys siirrosta",
    attempt_log: "Attempts" / "Yritykset",
    no_attempt: "No attempt yet." / "Ei vielä yrityksiä.",
    cancel_task: "Cancel" / "Peru siirto",
    resolve_done: "It was done" / "Se tehtiin",
    resolve_pending: "It was not done: try again" / "Sitä ei tehty: yritä uudelleen",
    source: "Source" / "Lähde",
    topic: "Topic" / "Aihe",
    received_at: "Received" / "Vastaanotettu",
    bytes: "Bytes" / "Tavua",
    payload: "Payload" / "Sisältö",
    payload_masked: "Personal data is masked." / "Henkilötiedot on piilotettu.",
    payload_redacted: "Deleted when its retention time ended." / "Poistettu säilytysajan päätyttyä.",
    reveal: "Show everything (recorded in the audit log)" / "Näytä kaikki (kirjataan muutoslokiin)",
    show_task: "Show task" / "Näytä siirto",
    // Products and stock.
    sync_now: "Sync now" / "Täsmäytä nyt",
    what_products: "products" / "tuotteet",
    what_stock: "stock" / "varastosaldot",
    what_orders: "orders" / "tilaukset",
    dry_run_only: "Dry run: show differences, fix nothing" / "Näytä vain erot, älä korjaa",
    codes: "Product codes to fix" / "Korjattavat tuotekoodit",
    no_codes: "Every product code is unique and usable." / "Jokainen tuotekoodi on yksilöllinen ja kelvollinen.",
    code: "Code" / "Koodi",
    name: "Name" / "Nimi",
    also_has_it: "Also used by" / "Sama koodi myös",
    syncs: "Syncs" / "Täsmäytykset",
    sync: "Sync" / "Täsmäytys",
    scheduled: "schedule" / "ajastettu",
    approve: "Approve and fix" / "Hyväksy ja korjaa",
    done: "Done" / "Valmis",
    checked: "checked" / "tarkistettu",
    differences: "Differences" / "Eroja",
    by: "By" / "Tekijä",
    fixes_itself: "being fixed" / "korjataan",
    needs_approval: "waits for approval" / "odottaa hyväksyntää",
    // Connections.
    pause: "Pause" / "Keskeytä",
    resume: "Resume" / "Jatka",
    release_brake: "Release the stock brake for an hour" / "Salli saldopäivitys tunnin ajan",
    polls: "Polls" / "Tarkistukset",
    what: "What" / "Mitä",
    polled_orders: "orders of the shop" / "kaupan tilaukset",
    polled_statuses: "orders of the warehouse" / "varaston tilaukset",
    polled_stock: "stock" / "varastosaldot",
    polled_products: "products" / "tuotteet",
    next_at: "Next" / "Seuraava",
    found: "Found without a webhook" / "Löytyi ilman webhookia",
    last_error: "Last error" / "Viimeisin virhe",
    gaps: "Gaps" / "Lukematta jääneitä",
    shipping_rules: "Shipping rules added here" / "Täällä lisätyt toimitustapasäännöt",
    shipping_rules_text: "They apply where no configured rule matches." / "Ne pätevät, kun mikään asetusten sääntö ei täsmää.",
    no_shipping_rules: "None: only the configured rules apply." / "Ei yhtään: vain asetusten säännöt ovat voimassa.",
    remove: "Remove" / "Poista",
    add_rule: "Add a rule" / "Lisää sääntö",
    // Keys and webhooks.
    subscriptions: "Webhook subscriptions" / "Webhook-rekisteröinnit",
    no_subscriptions: "Silta has registered none yet: silta webhooks register" / "Silta ei ole rekisteröinyt yhtään: silta webhooks register",
    seen_at: "Last seen at the vendor" / "Viimeksi nähty siellä",
    key: "Key" / "Avain",
    keys: "Keys" / "Avaimet",
    keys_text: "A key that is no longer used can be removed." / "Avaimen, jota ei enää käytetä, voi poistaa.",
    purpose: "Used for" / "Käyttötarkoitus",
    known_since: "Known since" / "Käytössä alkaen",
    uses: "Uses" / "Käyttöjä",
    last_used: "Last used" / "Viimeksi käytetty",
    rejected_webhooks: "Rejected webhooks" / "Hylätyt webhookit",
    no_rejected_webhooks: "None." / "Ei yhtään.",
    hint: "Probable cause" / "Todennäköinen syy",
    how_many: "Count" / "Määrä",
    last_at: "Last" / "Viimeksi",
    admin_tokens: "Admin tokens" / "Kirjautumisavaimet",
    // Alerts.
    alerts: "Alerts" / "Hälytykset",
    alert_unsent: "A notification channel has not accepted the message." / "Ilmoituskanava ei ole ottanut viestiä vastaan.",
    since: "since" / "alkoi",
    // Audit.
    at: "Time" / "Aika",
    actor: "Who" / "Kuka",
    action: "Action" / "Toiminto",
    detail: "Details" / "Tarkemmin",
}
