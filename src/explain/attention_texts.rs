//! The texts of the page of what needs attention, in both languages: the shopkeeper's words.

use super::texts::texts;

texts! {
    AttentionTexts, attention_texts:
    by_cause: "By cause, the oldest first. What you fix in the shop goes on by itself." / "Syyn mukaan, vanhin ensin. Kaupassa korjattu jatkuu itsestään.",
    since: "Since" / "Alkaen",
    see_all: "See all" / "Näytä kaikki",
    and_more: "and more" / "ja muita",
    see_products: "See the products" / "Näytä tuotteet",
    see_and_try: "See them, and try again" / "Näytä ja yritä uudelleen",
    see_and_send: "See them, and send" / "Näytä ja vie",
    preview_button: "Preview" / "Esikatsele",
    preview: "Preview: nothing has changed yet" / "Esikatselu: mitään ei ole vielä muutettu",
    cancel: "Cancel" / "Peruuta",
    // A shipping method without a rule.
    method: "Shipping method" / "Toimitustapa",
    becomes: "goes to the warehouse as" / "viedään varastolle toimitustavalla",
    stays_in_shop: "stays in the shop and is never sent" / "jää kauppaan eikä lähde varastolle",
    would_go: "order is read again and goes, if nothing else stands against it.|orders are read again and go, if nothing else stands against them." / "tilaus luetaan uudelleen ja lähtee, jos mikään muu ei estä.|tilausta luetaan uudelleen ja lähtee, jos mikään muu ei estä.",
    would_not_match: "This pattern does not match the method of these orders: they would go on waiting." / "Tämä ei vastaa näiden tilausten toimitustapaa: ne jäisivät odottamaan.",
    rule_undo: "The rule can be removed later, under Connections. An order at the warehouse can be cancelled until it is collected." / "Säännön voi poistaa myöhemmin kohdassa Yhteydet. Varastolle siirretyn tilauksen voi perua, kunnes sitä aletaan kerätä.",
    save_and_release: "Save, and release %" / "Tallenna ja vapauta %",
    save_only: "Save the rule only" / "Tallenna vain sääntö",
    not_saved: "Nothing was saved:" / "Mitään ei tallennettu:",
    where_codes_are: "The code is the one in myOGO, under Edit merchant, Shipping methods." / "Koodi näkyy myOGOssa kauppiaan asetuksissa, toimitustapojen kohdalla.",
    // What stopped, in general.
    same_cause: "Everything that stopped for the same cause" / "Kaikki samasta syystä pysähtyneet",
    try_again: "Try again" / "Yritä uudelleen",
    try_again_text: "Silta reads both sides again, and goes on if nothing stands against it any more." / "Silta lukee molemmat puolet uudelleen ja jatkaa, jos mikään ei enää estä.",
    release_orders: "Each is read again on both sides, and goes to the warehouse if nothing else stands against it. The next page shows how far it is; what has not begun can be cancelled there." / "Jokainen luetaan uudelleen molemmilta puolilta ja lähtee varastolle, jos mikään muu ei estä. Seuraavalla sivulla näet edistymisen, ja aloittamattomat voi perua siellä.",
    release_others: "Each is read again on both sides, and what differs is written. The next page shows how far it is; what has not begun can be cancelled there." / "Jokainen luetaan uudelleen molemmilta puolilta, ja erot kirjoitetaan. Seuraavalla sivulla näet edistymisen, ja aloittamattomat voi perua siellä.",
    at_most: "At most % at once, the oldest first: repeat it for the others." / "Enintään % kerralla, vanhimmat ensin: toista se muille.",
    // The stock brake.
    would_fall: "stock figure would fall to zero at once|stock figures would fall to zero at once" / "varastosaldo menisi kerralla nollaan|varastosaldoa menisi kerralla nollaan",
    broken_list: "An empty or broken list looks like this. The shop keeps its figures until you approve." / "Tyhjä tai rikkinäinen luettelo näyttää tältä. Kauppa pitää varastosaldonsa, kunnes hyväksyt.",
    none_left: "The stock brake is on, and nothing waits for it any more." / "Saldopäivitys on keskeytetty, mutta mikään ei enää odota sitä.",
    would_be: "Would be" / "Olisi",
    approve: "Approve %" / "Hyväksy %",
    approve_preview: "The shop will show no pieces of these products, and shoppers cannot buy them." / "Kauppa näyttää näille tuotteille nollasaldon, eivätkä asiakkaat voi ostaa niitä.",
    approve_undo: "For one hour from now any number of figures may fall to zero. What the shop showed before is not kept; a figure that rises again at the warehouse is written again." / "Tunnin ajan mikä tahansa määrä saldoja saa mennä nollaan. Kaupan aiempia saldoja ei säilytetä; varastolla nouseva saldo kirjoitetaan taas.",
    read_again: "Read the warehouse again" / "Lue varasto uudelleen",
    approved: "Approved. The figures are written one by one." / "Hyväksytty. Varastosaldot kirjoitetaan yksi kerrallaan.",
    // A sync that waits.
    sync_waits: "difference waits for your approval|differences wait for your approval" / "ero odottaa hyväksyntääsi|eroa odottaa hyväksyntääsi",
    sync_found: "The last comparison found them. Nothing of it is changed until you approve." / "Viimeisin täsmäytys löysi ne. Mitään ei muuteta ennen hyväksyntääsi.",
    approve_sync: "What the report says about them is then done. It cannot be taken back here." / "Raportin mukaiset muutokset tehdään silloin. Niitä ei voi kumota täällä.",
    approve_sync_stock: "The shop then shows the warehouse's figures, zeroes too: shoppers cannot buy what has none." / "Kauppa näyttää silloin varaston saldot, myös nollat: nollasaldoisia tuotteita asiakkaat eivät voi ostaa.",
    look_at_report: "Look at the report" / "Katso raportti",
    // An unknown outcome.
    may_be_there: "may or may not be at the warehouse" / "on ehkä varastolla, ehkä ei",
    look_at_both: "Silta sent it, and the answer was lost. Look at both sides, then say what is so." / "Silta lähetti sen, mutta vastaus katosi. Katso molemmat puolet ja kerro sitten, miten on.",
    not_there: "It is not there: send it again" / "Ei ole: lähetä uudelleen",
    is_there: "It is there" / "On varastolla",
    look_once_more: "Look once more" / "Katso vielä kerran",
    twice: "If it is there after all, the warehouse gets it twice." / "Jos se sittenkin on siellä, varasto saa sen kahdesti.",
    not_seen_there: "not found" / "ei löytynyt",
    read: "Read" / "Luettu",
    last_answer: "Last answer" / "Viimeisin vastaus",
    // Orders of the warehouse that Silta did not send.
    what_is_it: "What is it?" / "Mikä se on?",
    is_this_order: "The shop's order %: follow it from here" / "Kaupan tilaus %: seuraa sitä tästä lähtien",
    adopt_consequence: "If it is this order: Silta follows it and sends no other. Once it has shipped, this order is completed in the shop." / "Jos se on tämä tilaus: Silta seuraa sitä eikä lähetä toista. Kun se on lähtenyt, tämä tilaus merkitään kaupassa käsitellyksi.",
    something_else: "If it is something else: give it another reference in OGOship first. This order then goes under its own." / "Jos se on jokin muu: vaihda ensin sen viite OGOshipissa. Tämä tilaus lähtee sitten omalla viitteellään.",
    renamed_there: "It is something else, and has another reference now" / "Se on jokin muu, ja sen viite on nyt vaihdettu",
}
