"""Made-up people, companies, goods and carriers for the demo board. None of them exists on purpose."""

from __future__ import annotations

from typing import Final, NamedTuple


class Place(NamedTuple):
    """A city with how its postcodes look (# = digit, @ = letter) and names that fit there."""

    city: str
    region: str
    country: str
    postcode: str
    streets: tuple[str, ...]
    people: tuple[str, ...]
    companies: tuple[str, ...]


PLACES: Final = (
    Place(
        "Wakefield", "West Yorkshire", "GB", "WF# #@@", ("Kiln Row", "Tenter Lane", "Mill Fold"),
        ("Gwen Aldersey", "Tobias Marlowe-Finch", "Isla Thackeray", "Ned Rushbrook"),
        ("Copper Kettle Supply", "Ravenfold Primary School", "Tenterhook Tailors", "Moss & Ember Ltd"),
    ),
    Place(
        "Bath", "Somerset", "GB", "BA# #@@", ("Larkspur Terrace", "Weir Street"),
        ("Ottilie Pemberwick", "Rafe Kingsmere", "Dr H. Vale"),
        ("Larkspur Veterinary Care", "Weirside Bakery", "Second Shelf Books"),
    ),
    Place(
        "Kilkenny", "Leinster", "IE", "R95 @##@", ("Bóthar na Coille", "Harper's Walk"),
        ("Caoimhe Ní Shúilleabháin", "Fiachra Ó Dálaigh"), ("Abhainn Outdoor", "Harper's Walk Pharmacy"),
    ),
    Place(
        "Bielefeld", "Nordrhein-Westfalen", "DE", "33###", ("Weberstraße", "Am Lindenhof", "Mühlengasse"),
        ("Jörg Hasselbrink", "Käthe Überbach", "Ruprecht Sommerfeldt"),
        ("Lindenhof Gärtnerei GmbH", "Möbelhaus Grünspan", "Kfz-Werkstatt Straßberger"),
    ),
    Place(
        "Linz", "Oberösterreich", "AT", "40##", ("Donaulände", "Kirschgasse"),
        ("Leopoldine Wöginger", "Xaver Pichlbauer"), ("Konditorei Süßmund", "Donaublick Radverleih"),
    ),
    Place(
        "Lille", "Hauts-de-France", "FR", "59###", ("rue des Tisserands", "quai du Blé"),
        ("Maëlle Courtevigne", "Jean-Loïc d'Hérissart", "Zoé Fauconnet"),
        ("L'Atelier des Œillets", "Épicerie Beaumarché", "Librairie du Phare Éteint"),
    ),
    Place(
        "Zaragoza", "Aragón", "ES", "500##", ("calle del Almendro", "plaza Nueva del Río"),
        ("Íñigo Valdepeñero", "Nieves Acuña Solá"), ("Ferretería El Yunque Azul", "Cerámicas Muñoz y Nieta"),
    ),
    Place(
        "Braga", "Minho", "PT", "47##-0##", ("rua das Amoreiras", "largo do Moinho"),
        ("Conceição Vilarinho", "Simão Brandão Reis"), ("Padaria Três Irmãs", "Bicicletas do Moinho"),
    ),
    Place(
        "Parma", "Emilia-Romagna", "IT", "431##", ("via dei Mestieri", "vicolo del Gelso"),
        ("Fiorenza Bellacqua", "Niccolò Tramontin"), ("Officina Gelso Rosso", "Cartoleria Più Fogli"),
    ),
    Place(
        "Gent", "Oost-Vlaanderen", "BE", "90##", ("Wolweverskaai", "Appelbrugstraat"),
        ("Lieselot Vandermeersch-Pauw", "Ferre De Bakkere"), ("De Gouden Schroef", "Frituur 't Hoekske"),
    ),
    Place(
        "Groningen", "Groningen", "NL", "97## @@", ("Turfsteiger", "Noorderkade"),
        ("Sietske Hoogterp", "IJsbrand van der Wiel"),
        ("Fietsenmakerij Windmee", "Noorderkade Dierenkliniek"),
    ),
    Place(
        "Aarhus", "Midtjylland", "DK", "80##", ("Pilegyden", "Havnestræde"),
        ("Sørine Bækgaard", "Asger Løvschal"), ("Smørrebrødshuset Ørnen", "Havnestræde Køkkentøj"),
    ),
    Place(
        "Umeå", "Västerbotten", "SE", "903 ##", ("Björkallén", "Strömgränd"),
        ("Åsa Norrsken", "Hjördis Älvqvist"), ("Älvbrons Sportaffär", "Björkallén Tandläkare"),
    ),
    Place(
        "Tampere", "Pirkanmaa", "FI", "33###", ("Kutojankatu", "Pyynikinpolku"),
        ("Päivö Järvelä-Koskinen", "Lyyti Mäkäräinen"), ("Saunapuu Oy", "Kutojan Käsityöliike"),
    ),
    Place(
        "Łódź", "łódzkie", "PL", "9#-0##", ("ul. Przędzalniana Mała", "ul. Wierzbowa Górka"),
        ("Żaneta Brzęczyk", "Świętopełk Dąbek"), ("Księgarnia Pod Żółwiem", "Piekarnia Źródełko"),
    ),
    Place(
        "Brno", "Jihomoravský kraj", "CZ", "602 ##", ("Přadlácká", "U Dvou lip"),
        ("Růžena Křížková", "Vojtěch Šťastníček"), ("Železářství U Dvou lip", "Cyklo Říha a dcery"),
    ),
    Place(
        "Cluj-Napoca", "Cluj", "RO", "400###", ("strada Țesătorilor", "strada Mărului"),
        ("Ștefania Crângașu", "Răzvan Țintea"), ("Brutăria Mărul Auriu", "Grădina Șoimului"),
    ),
    Place(
        "İzmir", "Ege", "TR", "35###", ("Dokumacı Sokak", "Incir Yolu"),
        ("Gülçiçek Değirmenci", "Işık Yağmurcu"), ("Çınaraltı Kırtasiye", "Ege Güneş Bisiklet"),
    ),
    Place(
        "Πάτρα", "Αχαΐα", "GR", "26# ##", ("Οδός Υφαντών", "Οδός Λεμονιάς"),
        ("Ευανθία Καραμπελιά", "Θρασύβουλος Μυλωνέλης"), ("Φούρνος Η Μέλισσα", "Βιβλιοπωλείο Φάρος"),
    ),
    Place(
        "Пловдив", "Пловдив", "BG", "40##", ("ул. Тъкачна", "ул. Ореха"),
        ("Цветелина Щърбова", "Йордан Жеравски"), ("Книжарница Щурец", "Вело Център Жерав"),
    ),
)  # fmt: skip

GOODS: Final = (
    ("MUG-SLT-30", "Mug, slate, 30 cl", "A-02-1"), ("MUG-SND-30", "Mug, sand, 30 cl", "A-02-4"),
    ("KTL-ENA-12", "Enamel kettle, 1.2 l", "A-05-2"), ("BRD-OAK-M", "Bread board, oak, medium", "A-07-3"),
    ("LMP-DSK-OCH", "Desk lamp, ochre", "B-01-2"), ("LMP-FLR-INK", "Floor lamp, ink blue", "B-01-6"),
    ("THR-WOL-GRY", "Wool throw, grey", "B-04-1"), ("CSH-LIN-45", "Linen cushion 45 × 45", "B-04-5"),
    ("NTB-A5-DOT", "Notebook A5, dotted", "B-09-1"), ("PEN-FIN-04", "Fineliner 0.4, black", "B-09-3"),
    ("RCK-COAT-5", "Coat rack, five hooks", "B-11-2"), ("STL-BCH-45", "Beech stool, 45 cm", "C-01-1"),
    ("BSK-WIL-L", "Willow basket, large", "C-03-2"), ("TRY-ASH-40", "Ash tray table, 40 cm", "C-03-6"),
    ("CND-BEE-20", "Beeswax candle, 20 cm", "C-05-1"), ("SOP-OLV-6", "Olive soap, six bars", "C-05-4"),
    ("BTL-STL-75", "Steel bottle, 75 cl", "C-08-2"), ("BAG-CVS-NVY", "Canvas bag, navy", "C-08-5"),
    ("LGT-BIK-F", "Bicycle light, front", "D-01-1"), ("LGT-BIK-R", "Bicycle light, rear", "D-01-2"),
    ("PMP-MIN-11", "Mini pump, 11 bar", "D-01-6"), ("GLV-GRD-M", "Garden gloves, medium", "D-04-3"),
    ("SEC-FLC-8", "Secateurs, curved blade", "D-04-5"), ("SED-MED-MIX", "Meadow seed mix, 1 kg", "D-06-1"),
    ("PSR-RND-3", "Parasol, round, 3 m", "E-01-1"), ("BWL-DOG-2", "Dog bowl, two litres", "E-03-4"),
)  # fmt: skip
"""SKU, name, bin."""

CARRIERS: Final = (
    ("Merlin Post", "07:45"), ("Blue Wagon", "10:15"), ("Heron Next Day", "12:00"),
    ("Nordvik Express", "13:30"), ("Parcelbee", "15:00"), ("Halden Cargo", "16:30"),
    ("Heron Next Day", "18:00"), ("Kite Evening", "20:30"), ("Nachtfalke", "23:15"),
)  # fmt: skip
"""Carrier and its collection, the same time every day at the site."""

PICKERS: Final = ("Ana K.", "Joy T.", "Marek O.", "Ravi D.", "Sam P.", "Lena W.")

NOTES: Final = (
    "Leave with the porter.", "Gift: no invoice in the parcel.", "Bitte an der Laderampe abgeben.",
    "Sonner chez le voisin.", "Ring the bell twice, it is a big house.", "Dzwonić przed dostawą.",
    "Consegnare solo al mattino.", "Birthday on Friday, please do not be late.",
)  # fmt: skip

TAGS: Final = ("gift", "fragile", "b2b", "export", "first order", "cold")

HOLD_NOTES: Final = ("called, no answer", "house number is missing", "due back in on Thursday", "")
