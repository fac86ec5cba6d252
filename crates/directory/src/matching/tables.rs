//! The words the normaliser and the scorer know. All lists are plain text, read once.
//!
//! To teach it a word, add it to a list; spelling is folded by [`super::normalise::key`], so accents and case do not
//! matter here. Lists need not be complete: an unknown word is simply weighed as a distinguishing one.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use super::normalise::key;

/// What sort of word a token is; decides what it weighs and what a difference in it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A name: what tells two businesses apart.
    Plain,
    /// What a business does ("dental").
    Trade,
    /// A city, region or country.
    Place,
    /// A number, in digits whatever way it was written.
    Number,
    /// Words half of all businesses have ("group", "services").
    Filler,
    /// What is left of a legal form after the end of the name was cut off ("Lt").
    Fragment,
}

/// A legal form: where it may stand to be taken for one, and the countries that have it (bits; 0 = any).
#[derive(Clone, Copy, Debug)]
pub struct Legal {
    /// Recognised anywhere in the name; otherwise only at an end of it.
    pub anywhere: bool,
    /// Recognised at the beginning.
    pub leading: bool,
    /// Countries as bits.
    pub countries: u64,
}

const COUNTRIES: &str = "gb ie au nz za in sg my hk ca us de at ch fr be lu nl it es pt br mx se no dk fi pl cz sk hu \
    ro bg hr si rs ru ua tr gr jp cn id lt lv ee il ae ph li";

/// `word: countries`, unmistakable: recognised anywhere.
const LEGAL_ANYWHERE: &str = "ltd: gb ie au nz za in sg my hk ca il | limited: gb ie au nz za in sg my hk ca il | \
    pty: au za | proprietary: au za | pte: sg | sdn: my | bhd: my | plc: gb ie | llp: gb us in ca sg au | \
    llc: us ae ua ru | pllc: us | inc: us ca ph au | incorporated: us ca ph au | gmbh: de at ch li | mbh: de at ch | ggmbh: de | \
    gesmbh: at | ohg: de at | sarl: fr lu ch be | eurl: fr | sasu: fr | bvba: be | sprl: be | ltda: br pt | \
    eireli: br | aps: dk | oyj: fi | zoo: pl | oo: pl | spzoo: pl | oo: pl | sro: cz sk | kft: hu | nyrt: hu | zrt: hu | eood: bg | \
    doo: hr si rs | srls: it | slu: es | gmbhcokg: de at | kgaa: de | tbk: id | lllp: us | unlimited: gb ie | limitada: br pt es | \
    aktiengesellschaft: de at ch | aktiebolag: se | osakeyhtio: fi | kabushiki: jp | kaisha: jp | 株式会社: jp | 有限会社: jp | \
    有限公司: cn hk | ооо: ru | зао: ru | оао: ru | тов: ua | בעמ: il";

/// Also ordinary words or initials: recognised at the end only.
const LEGAL_AT_END: &str = "co: | company: | corp: us ca ph | corporation: us ca ph | cie: fr ch be | sa: fr be ch es pt br mx lu gr pl ro | \
    ag: de at ch li | ab: se fi | as: no dk cz sk tr | asa: no | oy: fi | nv: nl be | bv: nl be | vof: nl | cv: nl mx | \
    kg: de at | ug: de | gbr: de | ek: de | ev: de | se: de fr at nl | spa: it | srl: it ro be | snc: it fr | \
    sl: es | sll: es | sas: fr it | sca: fr lu | sci: fr | scop: fr | lda: pt | \
    rl: mx | ood: bg | dd: hr si | kk: jp | ou: ee | uab: lt | sia: lv | pl: au | pc: us | pa: us | lp: us gb ca | \
    sp: pl | ks: no dk | ans: no | hb: se | kb: se | tic: tr | sti: tr | private: in | pvt: in | \
    cc: za | npc: za | ulc: ca ie | dac: ie | clg: ie | cic: gb | psc: us ae | fze: ae | stiftung: de ch";

/// Forms that stand before the name in their countries.
const LEGAL_LEADING: &str = "pt uab sia ооо зао оао тов ou as ad cv";

const FILLER: &str = "group holding service solution international associate partner enterprise global management system trust \
    foundation society venture resource network concept product brand team office headquarters hq main national general federation union council \
    worldwide europe european america american collective alliance consortium practice practitioner industry \
    australasia pacific regional united first premier professional quality total integrated advanced superior \
    complete direct plus pro express online digital new old test inactive archived department \
    gruppe groupe grupo gruppo beteiligung dienstleistung loesung vertrieb servicio societe soluciones";

const TRADE: &str = "dental dentist rental medical clinic hospital health healthcare care aged surgery physio physiotherapy \
    chiropractic podiatry optometry optical optician eyecare pharmacy chemist veterinary vet animal pet pathology radiology imaging psychology \
    plumbing plumber heating cooling air conditioning refrigeration electrical electric electrician electronics solar energy power gas water \
    roofing roof tiling flooring carpet painting painter plastering bricklaying masonry concrete steel iron metal metalwork welding glass glazing window door \
    kitchen bathroom cabinet joinery carpentry timber furniture interior upholstery fencing landscaping garden gardening nursery lawn tree pool \
    construction building builder civil demolition excavation earthmoving scaffolding crane hire equipment machinery machine tool \
    architecture architect design designer drafting survey surveyor surveying planning engineering engineer structural mechanical automation \
    law lawyer legal solicitor attorney barrister conveyancing notary accounting accountant accountancy bookkeeping tax audit advisory adviser advisor \
    finance financial capital investment wealth insurance broker brokerage mortgage lending credit bank banking asset fund equity \
    property realty real estate lettings housing home strata facility cleaning cleaner laundry pest security locksmith alarm fire safety \
    transport transportation haulage trucking truck freight logistics logistic courier removal storage warehouse warehousing distribution shipping marine boat yacht aviation travel tour tourism taxi coach bus rail \
    automotive auto car motor vehicle mechanic panel tyre tire smash repair towing garage cycle bicycle \
    bakery baker butcher meat seafood fish poultry dairy farm farming agriculture agricultural grain feed seed fruit vegetable produce egg wine winery vineyard \
    brewery brewing brewer distillery spirit coffee cafe tea restaurant bistro pizza grill catering caterer hotel motel inn pub tavern bar hospitality accommodation resort \
    retail wholesale trading trade supply import export store shop market supermarket grocery fashion clothing apparel textile footwear shoe leather jewellery jeweller jewelry florist flower gift toy book sport fitness gym golf \
    printing printer print sign signage packaging paper publishing publisher press media marketing advertising creative studio production film video photo photography music entertainment event \
    software technology data cloud computing computer it cyber telecom communication wireless internet web hosting application gaming robotics semiconductor instrument \
    school college education training academy university kindergarten preschool childcare learning tutoring church ministry charity community disability support welfare \
    recruitment recruiting staffing personnel employment consulting consultancy consultant research laboratory science scientific biotech pharmaceutical chemical plastic rubber paint coating \
    manufacturing manufacturer fabrication foundry casting mining quarry drilling oil petroleum fuel recycling waste environmental nature outdoor hunting funeral beauty hair salon barber spa cosmetics skin massage yoga \
    label cable table stable maple apple factory mill works workshop forge trailer lift elevator pump valve filter lighting lamp light battery tower bridge road paving asphalt stone marble tile brick \
    bau bauunternehmen baeckerei metzgerei zahnarzt zahnarztpraxis apotheke kanzlei rechtsanwalt rechtsanwaelte steuerberater steuerberatung spedition autohaus gaertnerei tischlerei schreinerei malerbetrieb elektro sanitaer heizung hotelbetrieb verlag druckerei maschinenbau metallbau \
    boulangerie menuiserie plomberie avocat notaire pharmacie imprimerie transports batiment cabinet conseil electricite panaderia abogados construcciones farmacia asesoria transportes ferreteria";

const PLACES: &str = "london manchester birmingham leeds liverpool glasgow edinburgh bristol cardiff belfast dublin cork galway york oxford cambridge brighton nottingham sheffield leicester reading bath exeter plymouth norwich derby \
    sydney melbourne brisbane perth adelaide hobart darwin canberra geelong ballarat bendigo newcastle wollongong cairns townsville toowoomba launceston fremantle parramatta mackay dubbo albury wodonga mildura shepparton warrnambool bunbury \
    auckland wellington christchurch hamilton tauranga dunedin queenstown rotorua napier nelson \
    chicago boston seattle portland denver dallas austin houston phoenix atlanta miami orlando tampa detroit cleveland columbus cincinnati pittsburgh philadelphia baltimore nashville memphis charlotte raleigh richmond sacramento oakland toledo omaha tulsa wichita tucson albuquerque milwaukee minneapolis indianapolis louisville albany buffalo rochester \
    toronto montreal vancouver calgary edmonton ottawa winnipeg halifax quebec regina saskatoon \
    berlin hamburg muenchen munich koeln cologne frankfurt stuttgart duesseldorf leipzig dresden hannover hanover bremen nuernberg nuremberg bonn mainz kassel kiel luebeck rostock augsburg freiburg wien vienna graz linz salzburg innsbruck zuerich zurich basel bern geneva genf lausanne luzern \
    paris lyon marseille toulouse nice nantes bordeaux lille strasbourg rennes dijon grenoble brussels bruxelles antwerp ghent liege amsterdam rotterdam utrecht eindhoven groningen hague \
    madrid barcelona valencia sevilla seville bilbao malaga zaragoza lisbon lisboa porto rome roma milan milano turin torino naples napoli florence firenze bologna genoa venice verona palermo \
    stockholm goteborg gothenburg malmo uppsala oslo bergen trondheim copenhagen kobenhavn aarhus odense helsinki tampere turku warsaw krakow gdansk wroclaw poznan prague praha brno budapest bucharest sofia zagreb belgrade athens istanbul ankara \
    singapore tokyo osaka mumbai delhi bangalore johannesburg durban pretoria dubai cairo nairobi lagos \
    australia queensland victoria tasmania zealand england scotland wales ireland britain uk usa canada california texas florida ohio germany deutschland france italia italy spain espana netherlands nederland belgium sweden norway denmark finland poland austria switzerland schweiz asia africa \
    north south east west northern southern eastern western central northside southside upper lower inner outer";

/// Family names common enough that a near miss is another family, not a typing error.
const FAMILIES: &str = "smith smyth johnson johnston johnstone williams william jones brown davis miller wilson willson moore taylor tayler anderson andersen thomas jackson white harris martin martyn thompson thomson \
    garcia martinez robinson clark clarke rodriguez lewis lee walker hall allen allan young king wright hill scott green adams adam baker nelson carter mitchell roberts robert turner phillips philips campbell parker evans edwards collins stewart stuart morris rogers reed reid cook morgan bell murphy bailey rivera cooper richardson cox howard ward torres peterson petersen gray grey \
    james watson brooks kelly sanders price bennett wood barnes ross henderson coleman jenkins perry powell long patterson hughes flores butler simmons foster bryant russell griffin hayes meyer meier mayer maier schmidt schmitt schneider fischer weber mueller hoffmann hofmann schulz schultz becker bauer koch klein wolf schroeder neumann schwarz zimmermann braun krueger hartmann lange werner krause lehmann koehler hermann kaiser fuchs \
    hansen hanson olsen olson larsen larson jensen jenson nielsen nilsson eriksson ericsson karlsson carlsson persson svensson gustafsson dubois durand leroy moreau laurent bernard petit rossi russo ferrari bianchi romano lopez gonzalez gonzales fernandez hernandez perez sanchez nguyen tran chen wang zhang li liu wong singh patel shah khan kumar sharma obrien oconnor ryan walsh burke byrne doyle marsh march hart hunt hurst burns byrnes lane land park parks field fields woods";

/// `canonical: other spellings`.
const SPELLINGS: &str = "service: svc svcs serv servs srv srvs srvc srvcs serivces | international: intl intnl internat | \
    manufacturing: mfg mfr manuf manufacture manufacturer manufacturers mnfg | \
    associate: assoc assocs assn associates associated association asc assocn | group: grp grps gp | holding: hldg hldgs hld hlds hldngs | \
    technology: tech techs technologies technical technik technologie | engineering: eng engg engrg engr engineers engineer | \
    construction: constr constrn const constructions cnstr construct | development: dev devel dvlpmt developments developer developers | \
    management: mgmt mgt mngmt mgnt mngt | distribution: dist distr distrib distributor distributors distributing | brother: bros brothers bro | \
    centre: center ctr cntr cntre | national: natl nat | government: govt gov | university: univ uni | hospital: hosp hsp | \
    medical: med medic medicine | pharmacy: pharm phcy | transport: transp trans trnspt transportation tpt | electrical: elec elect electric electrics electl | \
    mechanical: mech | accounting: acct accts acctg accountant accountants accountancy accounts | insurance: ins insce insur | investment: inv invest invst invmt investments | \
    property: prop props ppty properties | laboratory: lab labs laboratories | consulting: cons conslt conslting consultancy consultant consultants consult cnslt | \
    communication: comm comms communications commun | system: sys syst systems | solution: sol soln solns sols solutions | product: prod prods products | \
    enterprise: ent entp entpr enterprises entprs | industry: ind inds indus industries industrial | financial: fin finance fncl finan | \
    partner: ptnr ptnrs prtnr prtnrs partners partnership | advisory: adv adviser advisor advisers advisors | st: saint sankt sainte street str | \
    mount: mt | fort: ft | doctor: dr drs doctors | north: nth nrth | south: sth | west: wst | \
    australia: aus aust | usa: us | zealand: nz | \
    building: bldg bldgs bld building buildings bldrs builder builders bldr | equipment: equip eqpt eqp | supply: supp supplies suppliers sup spl | \
    architect: arch archt architects architecture architectural | real_estate: realestate | department: dept dpt | maintenance: maint mtce mntnce | \
    education: educ edu educational | environmental: env envir enviro environment | refrigeration: refrig | air: airco | plumbing: plmb plmbg plumb plumber plumbers plbg | \
    heating: htg heat heater | security: sec secur securities | software: sw sftwr | computer: comp comps computing computers | marketing: mktg mkt mrktg | \
    advertising: advert | photography: photo photographic photographer photographers | restaurant: rest restaurants | dental: dent dentist dentists dentistry dntl | \
    veterinary: vet vets veterinarian | solicitor: solr solicitors solrs | lawyer: lawyers law | limousine: limo | logistics: logist logistic lgstcs | \
    motor: motors mtr mtrs | machine: mach machinery machines | recruitment: recruit recruiting recruiters | cleaning: clean cleaners cleaner clng | \
    landscaping: landscape landscapes | furniture: furn | hardware: hdwe hdwr | agriculture: agri agric agricultural | \
    warehouse: whse warehousing warehouses | wholesale: whsl wholesalers wholesaler | \
    brewery: brewing brewers breweries | catering: caterers caterer | printing: printers printer prints print | roofing: roofers roof | painting: painters painter | \
    muenchen: munich | koeln: cologne | wien: vienna | zuerich: zurich | nuernberg: nuremberg | bruxelles: brussels | roma: rome | milano: milan | torino: turin | lisboa: lisbon | praha: prague | genf: geneva geneve";

const NUMBERS: &str = "0: zero nil | 1: one first 1st einz erste | 2: two second 2nd ii zwei deux | 3: three third 3rd iii drei trois tres | 4: four fourth 4th iv vier quatre | \
    5: five fifth 5th fuenf cinq cinco | 6: six sixth 6th sechs | 7: seven seventh 7th sieben sept siete | 8: eight eighth 8th vii viii acht huit | 9: nine ninth 9th neun neuf | 10: ten tenth 10th zehn dix | \
    11: eleven eleventh 11th | 12: twelve twelfth 12th | 13: thirteen 13th | 14: fourteen 14th | 15: fifteen 15th | 16: sixteen | 17: seventeen | \
    18: eighteen | 19: nineteen | 20: twenty 20th | 21: twentyone | 30: thirty | 40: forty | 50: fifty | 60: sixty | 70: seventy | 80: eighty | 90: ninety | 100: hundred";

/// Dropped from a name: they carry nothing and come and go.
const PARTICLES: &str = "and the of for und et oder der die das den dem les des du de del della di da la le el los las van von zu zum zur \
    og och ja ve at by your our";

/// Joins two names when it stands between two longer words; a name's initial otherwise.
const JOINERS: &str = "y e i u en a o";

/// Mail domains that belong to nobody's business.
const FREE_MAIL: &str = "gmail.com googlemail.com outlook.com hotmail.com hotmail.co.uk hotmail.fr live.com live.co.uk live.com.au msn.com outlook.com.au \
    yahoo.com yahoo.co.uk yahoo.com.au yahoo.fr yahoo.de yahoo.ca ymail.com rocketmail.com aol.com icloud.com me.com mac.com \
    gmx.de gmx.net gmx.com gmx.at gmx.ch web.de t-online.de freenet.de mail.com mail.ru yandex.ru yandex.com bk.ru list.ru inbox.ru \
    proton.me protonmail.com pm.me tutanota.com fastmail.com hushmail.com zoho.com zohomail.com \
    bigpond.com bigpond.net.au optusnet.com.au iinet.net.au internode.on.net tpg.com.au dodo.com.au westnet.com.au xtra.co.nz \
    btinternet.com btconnect.com virginmedia.com sky.com talktalk.net ntlworld.com blueyonder.co.uk orange.fr wanadoo.fr free.fr laposte.net sfr.fr \
    libero.it virgilio.it tiscali.it alice.it telefonica.net comcast.net verizon.net att.net sbcglobal.net cox.net charter.net earthlink.net \
    shaw.ca rogers.com bell.net sympatico.ca telus.net telenet.be skynet.be ziggo.nl kpnmail.nl planet.nl bluewin.ch telia.com telenor.no \
    qq.com 163.com 126.com naver.com daum.net rediffmail.com example.com";

/// Platforms: a name under one is somebody's, the platform's own domain is nobody's.
const PLATFORMS: &str = "onmicrosoft.com onmicrosoft.us onmicrosoft.cn sharepoint.com mail.onmicrosoft.com myshopify.com wixsite.com wordpress.com \
    blogspot.com squarespace.com weebly.com github.io azurewebsites.net herokuapp.com google.com microsoft.com";

fn words(list: &'static str) -> HashSet<String> {
    list.split_whitespace().map(key).collect()
}

fn groups(list: &'static str) -> impl Iterator<Item = (&'static str, std::str::SplitWhitespace<'static>)> {
    list.split('|').filter_map(|entry| entry.split_once(':')).map(|(word, rest)| (word.trim(), rest.split_whitespace()))
}

fn canonical(list: &'static str) -> HashMap<String, String> {
    let pairs = groups(list).flat_map(|(word, others)| others.map(move |other| (key(other), key(word))));
    pairs.filter(|(other, word)| other != word).collect()
}

/// Legal forms by folded word.
pub static LEGAL: LazyLock<HashMap<String, Legal>> = LazyLock::new(|| {
    let bit = |code: &str| COUNTRIES.split_whitespace().position(|known| known == code).map_or(0, |at| 1 << at);
    let leading = words(LEGAL_LEADING);
    let mut all: HashMap<String, Legal> =
        leading.iter().map(|word| (word.clone(), Legal { anywhere: false, leading: true, countries: 0 })).collect();
    for (list, anywhere) in [(LEGAL_AT_END, false), (LEGAL_ANYWHERE, true)] {
        for (word, codes) in groups(list) {
            let (word, countries) = (key(word), codes.map(bit).fold(0, |all, one| all | one));
            all.insert(word.clone(), Legal { anywhere, leading: leading.contains(&word), countries });
        }
    }
    all
});

/// Other spelling → the one spelling used for comparing.
pub static SPELLING: LazyLock<HashMap<String, String>> = LazyLock::new(|| canonical(SPELLINGS));
/// Number in words → digits.
pub static NUMBER: LazyLock<HashMap<String, String>> = LazyLock::new(|| canonical(NUMBERS));
/// Words that are dropped.
pub static PARTICLE: LazyLock<HashSet<String>> = LazyLock::new(|| words(PARTICLES));
/// Words dropped only between two longer words.
pub static JOINER: LazyLock<HashSet<String>> = LazyLock::new(|| words(JOINERS));
/// Domains no business owns alone.
pub static SHARED_DOMAIN: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| FREE_MAIL.split_whitespace().chain(PLATFORMS.split_whitespace()).collect());

static CLASS: LazyLock<HashMap<String, Class>> = LazyLock::new(|| {
    let spelled = |word: String| SPELLING.get(&word).cloned().unwrap_or(word);
    let lists = [(FAMILIES, Class::Plain), (TRADE, Class::Trade), (PLACES, Class::Place), (FILLER, Class::Filler)];
    lists
        .into_iter()
        .flat_map(|(list, class)| words(list).into_iter().map(move |word| (spelled(word), class)))
        .collect()
});

/// The class of a folded word, if it is a known one. A plural counts as its singular.
pub fn class_of(word: &str) -> Option<Class> {
    CLASS.get(word).copied()
}
