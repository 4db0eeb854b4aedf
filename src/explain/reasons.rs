//! Every reason in both languages, and what a person does about it.

use crate::domain::{language::Language, task::outcome::Reason};

/// A reason as people read it.
struct ReasonText {
    finnish: &'static str,
    /// Empty where there is nothing to do.
    remedy: [&'static str; 2],
}

/// Why, in a sentence.
pub fn words(reason: Reason, language: Language) -> &'static str {
    match language {
        Language::English => reason.description(),
        Language::Finnish => reason_texts(reason).finnish,
    }
}

/// What a person does about it; empty where there is nothing to do.
pub fn remedy(reason: Reason, language: Language) -> &'static str {
    let [english, finnish] = reason_texts(reason).remedy;
    match language {
        Language::English => english,
        Language::Finnish => finnish,
    }
}

macro_rules! reason_texts {
    ($($name:ident: $finnish:literal $(; $english:literal / $finnish_remedy:literal)?),+ $(,)?) => {
        const fn reason_texts(reason: Reason) -> ReasonText {
            match reason {
                $(Reason::$name => ReasonText { finnish: $finnish, remedy: [concat!($($english)?), concat!($($finnish_remedy)?)] }),+
            }
        }
    };
}

reason_texts! {
    Unreachable: "Järjestelmään ei saatu yhteyttä; mitään ei lähetetty."; "Look at the vendor's status page, then replay." / "Katso järjestelmän tilasivulta, toimiiko se, ja toista sitten.",
    AnswerLost: "Vastaus katosi lähettämisen jälkeen."; "Look at the order in both vendors, then replay or resolve." / "Katso tilaus molemmista järjestelmistä, ja toista tai kuittaa sitten.",
    VendorFailed: "Järjestelmässä oli häiriö (500, 502, 503, 504)."; "Replay once the vendor works again." / "Toista, kun järjestelmä toimii taas.",
    RateLimited: "Järjestelmä pyysi harvempia kutsuja (429), tai oma kiintiömme on käytetty."; "Nothing to do, unless it is constant: then lower requests_per_second." / "Ei tehtävää, ellei se jatku: laske silloin asetusta requests_per_second.",
    AnswerUnreadable: "Onnistunut vastaus, jota emme osaa lukea."; "The vendor may have changed its API: look at the calls, and tell whoever looks after Silta." / "Rajapinta on ehkä muuttunut: katso kutsut ja kerro Siltan ylläpitäjälle.",
    Refused: "Järjestelmä hylkäsi pyynnön (muu 4xx)."; "The calls of the last attempt show what was refused: fix it there, then replay." / "Viimeisen yrityksen kutsut kertovat, mikä hylättiin: korjaa se, ja toista sitten.",
    Conflict: "Kohde oli toisessa tilassa kuin toimenpide vaatii (409)."; "Compare both vendors, then replay." / "Vertaa molempia järjestelmiä, ja toista sitten.",
    CredentialsRefused: "Järjestelmä ei hyväksynyt tunnuksiamme (401, 403)."; "Renew the key in the configuration and reload it (SIGHUP): it is probed until it is taken." / "Vaihda avain asetuksiin ja lataa ne uudelleen (SIGHUP): sitä koetetaan, kunnes se hyväksytään.",
    VendorDown: "Yhteyden järjestelmä epäonnistui kerta toisensa jälkeen: mitään ei lähetetä ennen kuin se vastaa koekutsuun."; "Nothing to do: both vendors are probed every minute, and an answer lets everything go on." / "Ei tehtävää: molempia kokeillaan minuutin välein, ja vastaus päästää kaiken jatkumaan.",
    NotPaid: "Tilausta ei ole maksettu, eikä se ole postiennakko.",
    PaymentNotActivated: "Maksu on saatu, mutta sitä ei ole aktivoitu (Klarna, maksulinkki)."; "Activate the payment in the shop, or transfer the order by hand." / "Aktivoi maksu kaupassa, tai siirrä tilaus käsin.",
    BeforeStart: "Tilaus on vanhempi kuin not_before tai yhteys itse: historiaa ei tuoda.",
    HoldPeriod: "Odotusaika ennen lähettämistä ei ole kulunut: aikaa muutoksille.",
    HeldByOperator: "Joku pitää tilausta odottamassa."; "Release it when it may go." / "Vapauta se, kun se saa lähteä.",
    ManualTransfer: "Tilaus odottaa, että joku siirtää sen (transfer = \"manual\")."; "Transfer it when it may go." / "Siirrä se, kun se saa lähteä.",
    CancelledInShop: "Kauppa perui tilauksen ennen kuin se lähti varastolle.",
    CompletedInShop: "Kauppa käsitteli tilauksen valmiiksi ennen kuin se lähti varastolle.",
    UnknownInShop: "Kauppa ei tunne sitä."; "List the product in the shop, or leave it." / "Lisää tuote kauppaan, tai anna olla.",
    UnknownAtWarehouse: "Varasto ei tunne sitä."; "Sync the products: the code is not at the warehouse yet." / "Synkronoi tuotteet: koodi ei ole vielä varastolla.",
    NoWarehouseLines: "Mikään tilauksen riveistä ei ole varastolla.",
    Excluded: "Tuote tai koodi on rajattu pois asetuksissa.",
    SettlingTime: "Lopputulos on tuntematon: odotetaan hetki, ennen kuin mitään lähetetään uudelleen.",
    CancelledAtWarehouse: "Varasto perui tilauksen; kaupan tilaukseen ei kosketa."; "Decide what the shopper gets: Silta never cancels the shop's order." / "Päätä, mitä asiakas saa: Silta ei koskaan peru kaupan tilausta.",
    HeldAtWarehouse: "Varasto pitää tilausta (Reserved, Draft, Locked tai tuntematon sana) eikä lähetä sitä ennen kuin siellä on toimittu."; "Open the order in myOGO, fix it there and move it to New." / "Avaa tilaus myOGOssa, korjaa se siellä ja siirrä se tilaan New.",
    Returned: "Paketti palasi varastolle."; "Decide with the shopper: a refund, or a new order." / "Sovi asiakkaan kanssa: hyvitys tai uusi tilaus.",
    PartiallyShipped: "Osa tilauksesta on lähtenyt: loput tulee toisessa paketissa, tai kauppa lähettää ne itse."; "Ship the missing codes, or settle them with the shopper." / "Lähetä puuttuvat koodit, tai sovi niistä asiakkaan kanssa.",
    CatalogueUnread: "Kaupan tuotevalikoimaa ei ole vielä luettu kokonaan, joten kukaan ei tiedä, kenen koodi on.",
    StaleReading: "Varaston vastaus on vanhempi kuin se, jonka mukaan jo toimimme.",
    AddressIncomplete: "Osoitteesta puuttuu varaston vaatima kenttä, tai sen muoto on väärä."; "Fix the named fields in the shop, then replay." / "Korjaa nimetyt kentät kaupassa, ja toista sitten.",
    ShippingUnmapped: "Mikään toimitustapasääntö ei vastaa tilauksen toimitustapaa."; "Name the warehouse's shipping code for it, then release every order that waits for it." / "Nimeä sille varaston toimituskoodi, ja vapauta sitten kaikki sitä odottavat tilaukset.",
    CodeUnusable: "Tilausrivillä on tyhjä tai liian pitkä tuotekoodi."; "Give the product a code of at most 50 characters, then replay." / "Anna tuotteelle enintään 50 merkin koodi, ja toista sitten.",
    CodeEmpty: "Tuotteella tai variaatiolla ei ole tuotekoodia."; "Give it one in the shop: it goes on by itself." / "Anna sille koodi kaupassa: se jatkuu itsestään.",
    CodeTooLong: "Tuotekoodi on pidempi kuin varasto ottaa."; "Shorten it in the shop to 50 characters: it goes on by itself." / "Lyhennä se kaupassa 50 merkkiin: se jatkuu itsestään.",
    CodeRepeated: "Toisella tuotteella tai variaatiolla on sama koodi, tai vain kirjainkoossa tai väleissä eroava."; "Give each a code of its own in the shop: the others go on by themselves." / "Anna kullekin oma koodi kaupassa: muut jatkuvat itsestään.",
    CodeTaken: "Varastolla uusi koodi on jo kaupan toisella tuotteella."; "Where two have changed places, rename one at the warehouse by hand." / "Jos kaksi on vaihtanut paikkaa, nimeä toinen uudelleen varastolla käsin.",
    StockBraked: "Liian moni saldo laskisi nollaan kerralla: siltä näyttää tyhjä tai rikkinäinen syöte."; "Look at the warehouse's figures. If they are right, release the brake on the connection's page." / "Katso varaston luvut. Jos ne ovat oikein, vapauta jarru yhteyden sivulla.",
    ListPartial: "Suuri osa siitä, mikä oli varastolla, puuttuu sen listalta: siltä näyttää katkennut lista."; "Look at the sync's differences. If they are right, approve it." / "Katso vertailun erot. Jos ne ovat oikein, hyväksy se.",
    SupplierUnknown: "Rivin toimittajaa ei tiedetä, joten ei sitäkään, onko se varastolla."; "Correct the order's line in the shop, or transfer its goods by hand." / "Korjaa tilausrivi kaupassa, tai siirrä sen tavarat käsin.",
    ReferenceTooLong: "Tilauksen viite olisi pidempi kuin varasto ottaa."; "Shorten reference_prefix in the configuration." / "Lyhennä asetusta reference_prefix.",
    OldVersionAtWarehouse: "Varastolla on vanha versio tilauksesta, jota on muokattu kaupassa."; "Fix the order in myOGO: the difference is shown with the task." / "Korjaa tilaus myOGOssa: ero näkyy toimituksen kohdalla.",
    TooLateToCancel: "Tilaus peruttiin, kun varasto jo keräsi sitä."; "Ask the warehouse to stop it." / "Pyydä varastoa pysäyttämään se.",
    CancelledAfterTransfer: "Tilaus peruttiin, ja se on yhä varastolla perumatta."; "Cancel it at the warehouse if it still can be, or let it ship." / "Peru se varastolla, jos vielä voi, tai anna sen lähteä.",
    ShippedThoughCancelled: "Varasto lähetti tilauksen, jonka kauppa oli perunut."; "The parcel is on its way: settle it with the shopper." / "Paketti on matkalla: sovi asiakkaan kanssa.",
    VanishedAtWarehouse: "Varasto ei enää näytä tilausta, jonka sinne veimme."; "Look for it at the warehouse by its reference: Silta never places it again by itself." / "Etsi se varastolta viitteellä: Silta ei vie sitä itse uudelleen.",
    CannotComplete: "Tilauksella on useampi avoin lähetys tai maksu niin, ettemme voi käsitellä sitä valmiiksi."; "Complete the order in the shop by hand." / "Käsittele tilaus kaupassa käsin.",
    OutcomeUnknown: "Kukaan ei osannut ajoissa sanoa, tehtiinkö se, mitä lähetimme: katso siellä ennen kuin se lähetetään uudelleen."; "Look at the vendor itself, then replay: a replay looks too before it sends." / "Katso järjestelmästä, ja toista sitten: toistokin katsoo ennen kuin lähettää.",
    LeaseExpired: "Varausaika päättyi kesken yrityksen: kaatuminen, tai prosessi oli liian kauan poissa.",
    DatabaseUnavailable: "Oma tietokantamme oli poissa, kun yritys tarvitsi sitä.",
    Overran: "Yritys kesti liian kauan."; "Look at the times of its calls." / "Katso sen kutsujen kestoja.",
    Panicked: "Yritys kaatui."; "A fault of ours: report it with the task's diary." / "Vika on meidän: ilmoita siitä toimituksen päiväkirjan kanssa.",
    NotConverging: "Toimenpide seurasi toistaan, eikä se koskaan tullut lepoon."; "Compare both vendors: the far side does not keep what it is reason_texts." / "Vertaa molempia järjestelmiä: toinen puoli ei pidä sitä, mitä sille kerrotaan.",
    SnoozedTooLong: "Sitä lykättiin yli kaksi viikkoa."; "Look at the vendor's status, then replay." / "Katso järjestelmän tila, ja toista sitten.",
    CancelledByOperator: "Joku perui toimituksen, tai tilauksen ennen siirtoa.",
    ResolvedByOperator: "Joku kertoi, mitä todella tapahtui.",
}
