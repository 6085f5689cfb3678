"""The commands of docs/how-to/public-data.md, on small files of exactly the formats of these data sets."""

import gzip
import re
import shlex
import zipfile
from pathlib import Path

import pytest

from interp.cli import commands
from interp.concepts.study_data import is_own
from recmodels import datasets
from recmodels.datasets.tables import from_tables

PAGE = Path(__file__).parents[3] / "docs/how-to/public-data.md"
BLOCKS = [block.replace("\\\n", " ") for block in re.findall(r"```bash\n(.*?)```", PAGE.read_text(), re.S)]

AMAZON = (
    '{"rating": 5.0, "title": "Such a lovely scent", "text": "Nice, \\"really\\".", "images": [{"large": "x"}], '
    '"asin": "B00YQ6X8EO", "parent_asin": "B00YQ6X8EO", "user_id": "AGKHLEW2SOWHNMFQ", "timestamp": 1588687728923, '
    '"helpful_vote": 0, "verified_purchase": true}\n'
    '{"rating": 1.0, "title": "No", "text": "", "images": [], "asin": "B1", "parent_asin": "B00YQ6X8EO", '
    '"user_id": "AEX", "timestamp": 1588615855070, "helpful_vote": 0, "verified_purchase": true}\n'
    '{"rating": 4.0, "title": "Ok", "text": "", "images": [], "asin": "B2", "parent_asin": "B0NOTTHERE", '
    '"user_id": "AEX", "timestamp": 1588615855071, "helpful_vote": 0, "verified_purchase": true}\n'
)
AMAZON_META = (
    '{"main_category": "All Beauty", "title": "Howard LC0008 Leather Conditioner, 8-Ounce", "average_rating": 4.8, '
    '"rating_number": 10, "features": [], "description": [], "price": null, "images": [{"thumb": "x"}], '
    '"videos": [], "store": "Howard Products", "categories": ["Beauty", "Skin Care"], '
    '"details": {"UPC": "617390882781"}, "parent_asin": "B00YQ6X8EO", "bought_together": null}\n'
)
AMAZON_CSV = (
    "user_id,parent_asin,rating,timestamp\nAEX,B00YQ6X8EO,5.0,1588615855070\nAGK,B00YQ6X8EO,3.0,1588687728923\n"
)
STEAM = (
    "{u'username': u'Chaos Syren', u'hours': 0.1, u'products': 41, u'product_id': u'725280', u'page_order': 0, "
    "u'date': u'2017-12-17', u'text': u'This would not be \\u2026 \"good\".', u'early_access': False, u'page': 1}\n"
    "{u'username': u'Ariman1', u'hours': 13.2, u'products': 1386, u'product_id': u'328100', u'page_order': 2, "
    "u'date': u'2017-08-02', u'text': u'Addictive.', u'early_access': False, u'page': 1}\n"
)
STEAM_GAMES = (
    "{u'publisher': u'Kotoshiro', u'genres': [u'Action', u'Casual'], u'app_name': u'Lost Summoner Kitty', "
    "u'title': u'Lost Summoner Kitty', u'release_date': u'2018-01-04', u'tags': [u'Strategy'], u'price': 4.99, "
    "u'early_access': False, u'id': u'725280', u'developer': u'Kotoshiro'}\n"
    "{u'url': u'http://store.steampowered.com/', u'reviews_url': u'http://steamcommunity.com/'}\n"
)
YELP = (
    '{"review_id":"KU_O5udG6zpxOg-VcAEodg","user_id":"mh_-eMZ6K5RLWhZyISBhwA","business_id":"XQfwVwDr-v0ZS3_CbbE5Xw",'
    '"stars":4.0,"useful":0,"funny":0,"cool":0,"text":"If you decide\\nto eat here","date":"2018-07-07 22:09:11"}\n'
    '{"review_id":"x","user_id":"u2","business_id":"XQfwVwDr-v0ZS3_CbbE5Xw","stars":1.0,"useful":0,"funny":0,"cool":0,'
    '"text":"","date":"2012-01-03 15:28:18"}\n'
)
YELP_BUSINESS = (
    '{"business_id":"XQfwVwDr-v0ZS3_CbbE5Xw","name":"Turning Point","address":"","city":"North Wales","state":"PA",'
    '"postal_code":"19454","latitude":40.2,"longitude":-75.2,"stars":3.0,"review_count":169,"is_open":1,'
    '"attributes":{"NoiseLevel":"u\'average\'"},"categories":"Restaurants, Breakfast & Brunch","hours":null}\n'
)
GOODBOOKS = "user_id,book_id,rating\n1,258,5\n2,4081,4\n1,4081,3\n2,258,5\n"
BOOKS = (
    "book_id,goodreads_book_id,isbn,authors,original_publication_year,title,language_code,average_rating\n"
    '258,1232,143034901,"Carlos Ruiz Zafón, Lucia Graves",2001.0,"The Shadow of the Wind (The Cemetery, #1)",eng,4.24\n'
    "4081,231,,Tom Wolfe,1987.0,The Bonfire of the Vanities,,3.86\n"
)
KUAI = (
    "user_id,video_id,play_duration,video_duration,time,date,timestamp,watch_ratio\n"
    "0,3649,13838,10867,2020-07-05 00:08:23.438,20200705,1593878903.438,1.2733965215790926\n"
    "0,9598,13665,10984,2020-07-05 00:13:41.297,20200705,1593879221.297,2.2440\n"
    "1,5262,851,7908,2020-07-05 00:16:06.687,20200705,1593879366.687,3.5\n"
)
KUAI_CAPTIONS = (
    "video_id,manual_cover_text,caption,topic_tag,first_level_category_id,first_level_category_name,"
    "second_level_category_id,second_level_category_name,third_level_category_id,third_level_category_name\n"
    "9598,UNKNOWN,\"精神小伙路难走 程哥你狗粮慢点撒\n@(O3xhcy6vhfzcu2ku)\",['搞笑'],8,颜值,673,颜值随拍,-124,UNKNOWN\n"
    "5262,UNKNOWN,,[],27,UNKNOWN,-124,UNKNOWN,-124,UNKNOWN\n"
    "7,UNKNOWN,cut\n"
)
HM = (
    "t_dat,customer_id,article_id,price,sales_channel_id\n"
    "2018-09-20,000058a12d5b43e67d225668fa1f8d618c13dc232df0cad8ffe7ad4a1091e318,0663713001,0.050830508474576264,2\n"
    "2018-09-21,000058a12d5b43e67d225668fa1f8d618c13dc232df0cad8ffe7ad4a1091e318,0663713001,0.030491525423728813,2\n"
)
ARTICLES = (
    "article_id,product_code,prod_name,product_type_no,product_type_name,product_group_name,detail_desc\n"
    '0663713001,0663713,Atlanta Push Body Harlow,283,Underwear body,Underwear,"Lace push-up body, with wires."\n'
    "0108775015,0108775,Strap top,253,Vest top,Unknown,\n"
)
CLICKS = (
    "1,2014-04-07T10:51:09.277Z,214536502,0\n1,2014-04-07T10:54:09.868Z,214536500,S\n2,2014-04-07T13:56:37.614Z,7,0\n"
)
BEHAVIORS = (
    "1\tU13740\t11/11/2019 9:05:58 AM\tN55189 N42782\tN55689-1 N35729-0\n"
    "2\tU91836\t11/12/2019 6:11:30 PM\t\tN35729-0 N42782-1\n"
    "3\tU13740\t11/10/2019 11:53:04 PM\tN55189 N42782\tN35729-1\n"
)
NEWS = "".join(
    f'{item}\t{category}\t{sub}\t{title}\tAn "abstract\thttps://assets.msn.com/x.html\t[]\t[{{"Label": "PGA"}}]\n'
    for item, category, sub, title in (
        ("N55189", "tv", "tvnews", '"Wheel of Fortune" Guest'),
        ("N42782", "sports", "baseball_mlb", "Three takeaways"),
        ("N55689", "sports", "football_nfl", "Charles Rogers"),
        ("N35729", "news", "newsus", "Porsche launches"),
    )
)
SKYRIM = "151603712,The Elder Scrolls V Skyrim,"
FILES = {
    "All_Beauty.jsonl.gz": AMAZON,
    "meta_All_Beauty.jsonl.gz": AMAZON_META,
    "Digital_Music.csv": AMAZON_CSV,
    "meta_Digital_Music.jsonl": AMAZON_META,
    "steam_reviews.json.gz": STEAM,
    "steam_games.json.gz": STEAM_GAMES,
    "steam-200k.csv": f"{SKYRIM}purchase,1.0,0\n{SKYRIM}play,273.0,0\n",
    "ratings.csv": GOODBOOKS,
    "books.csv": BOOKS,
    "yelp_academic_dataset_review.json": YELP,
    "yelp_academic_dataset_business.json": YELP_BUSINESS,
    "big_matrix.csv": KUAI,
    "kuairec_caption_category.csv": KUAI_CAPTIONS,
    "transactions_train.csv": HM,
    "articles.csv": ARTICLES,
    "yoochoose-clicks.dat": CLICKS,
    "ml-1m.txt": "1 3186\n1 1721\n2 1357\n",
}


@pytest.fixture
def read(tmp_path, monkeypatch, arguments):
    """Reads the data of the command with a data set's name, as `interp study` does: configuration and data."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    with zipfile.ZipFile(tmp_path / "MINDsmall_train.zip", "w") as archive:
        archive.writestr("MINDsmall_train/behaviors.tsv", BEHAVIORS)
        archive.writestr("MINDsmall_train/news.tsv", NEWS)
    monkeypatch.chdir(tmp_path)
    configs = []
    monkeypatch.setattr(commands, "run_and_report", configs.append)

    def dataset(name):
        block = next(block for block in BLOCKS if f"--dataset {name} " in block or f"study {name} " in block)
        arguments(*shlex.split(block)[1:])
        (config,) = configs
        config.check()
        if not is_own(config):
            return config, datasets.load(config.dataset, config.data)
        return config, from_tables(config.data, config.items, config.columns, config.dataset, config.reading)

    return dataset


def meetings(data):
    return [tuple(row) for row in data.interactions.itertuples(index=False)]


def test_every_command_of_the_page_is_read_here():
    names = re.findall(r"--dataset (\S+)|study (mind)", "\n".join(BLOCKS))
    assert sorted(a or b for a, b in names) == sorted([*EXPECTED, "mind"])


LONG = "000058a12d5b43e67d225668fa1f8d618c13dc232df0cad8ffe7ad4a1091e318"
# Interactions; titles by item; the attribute's values by item; and how many plain lines say what is lacking.
EXPECTED = {
    "amazon-beauty": (
        [("AGKHLEW2SOWHNMFQ", "B00YQ6X8EO", 1588687728923), ("AEX", "B0NOTTHERE", 1588615855071)],
        {"B00YQ6X8EO": "Howard LC0008 Leather Conditioner, 8-Ounce", "B0NOTTHERE": "B0NOTTHERE"},
        {"B00YQ6X8EO": ("Beauty", "Skin Care")},
        1,
    ),
    "amazon-music": (
        [("AEX", "B00YQ6X8EO", 1588615855070), ("AGK", "B00YQ6X8EO", 1588687728923)],
        {"B00YQ6X8EO": "Howard LC0008 Leather Conditioner, 8-Ounce"},
        {"B00YQ6X8EO": ("Beauty", "Skin Care")},
        0,
    ),
    "steam": (
        [("Chaos Syren", "725280", 1513468800), ("Ariman1", "328100", 1501632000)],
        {"725280": "Lost Summoner Kitty", "328100": "328100"},
        {"725280": ("Action", "Casual")},
        2,
    ),
    "steam-200k": (
        [(151603712, "The Elder Scrolls V Skyrim", 0)],
        {"The Elder Scrolls V Skyrim": "The Elder Scrolls V Skyrim"},
        {},
        2,
    ),
    "goodbooks": (
        [(1, 258, 0), (2, 4081, 1), (2, 258, 2)],
        {258: "The Shadow of the Wind (The Cemetery, #1)", 4081: "The Bonfire of the Vanities"},
        {258: ("Carlos Ruiz Zafón", "Lucia Graves"), 4081: ("Tom Wolfe",)},
        1,
    ),
    "yelp": (
        [("mh_-eMZ6K5RLWhZyISBhwA", "XQfwVwDr-v0ZS3_CbbE5Xw", 1531001351)],
        {"XQfwVwDr-v0ZS3_CbbE5Xw": "Turning Point"},
        {"XQfwVwDr-v0ZS3_CbbE5Xw": ("Restaurants", "Breakfast & Brunch")},
        0,
    ),
    "kuairec": (
        [(0, 9598, 1593879221.297), (1, 5262, 1593879366.687)],
        {9598: "精神小伙路难走 程哥你狗粮慢点撒\n@(O3xhcy6vhfzcu2ku)", 5262: "5262"},
        {9598: "颜值", 5262: None},
        1,
    ),
    "hm": (
        [(LONG, "0663713001", 1537401600), (LONG, "0663713001", 1537488000)],
        {"0663713001": "Atlanta Push Body Harlow", "0108775015": "Strap top"},
        {"0663713001": "Underwear", "0108775015": None},
        0,
    ),
    "yoochoose": (
        [(1, 214536502, 1396867869.277), (1, 214536500, 1396868049.868), (2, 7, 1396878997.614)],
        {7: "7", 214536500: "214536500", 214536502: "214536502"},
        {},
        1,
    ),
    "ml-1m-plain": ([(1, 3186, 0), (1, 1721, 1), (2, 1357, 2)], {1357: "1357", 1721: "1721", 3186: "3186"}, {}, 2),
}


@pytest.mark.filterwarnings("ignore::recmodels.datasets.values.AttributeWarning")
@pytest.mark.parametrize("name", EXPECTED)
def test_the_commands_read_these_formats(read, name):
    config, data = read(name)
    rows, titles, values, lacks = EXPECTED[name]
    assert data.name == name
    assert meetings(data) == rows
    assert data.items["title"].to_dict() == titles
    assert bool(data.attribute) == bool(values)
    for item, value in values.items():
        assert data.items.at[item, data.attribute] == value
    assert len(data.lacks) == lacks, data.lacks
    assert config.keep_seen == (name in ("hm", "yoochoose"))


def test_clicks_of_mind_are_in_the_order_of_time(read):
    _, data = read("mind")
    rows = data.interactions.sort_values("time", kind="stable")
    by_user = {user: part["item"].tolist() for user, part in rows.groupby("user")}
    # Before her first impression, of the 10th, come the clicks of its history.
    assert by_user == {"U13740": ["N55189", "N42782", "N35729", "N55689"], "U91836": ["N42782"]}
    first = rows[rows["user"] == "U13740"]["time"].tolist()
    assert [first[1] - first[0], first[2] - first[1], first[2]] == [1, 1, 1573429984]
    assert data.attribute == "subcategory"
    assert data.items.loc["N55189", ["title", "category", "subcategory"]].tolist() == [
        '"Wheel of Fortune" Guest',
        "tv",
        "tvnews",
    ]
    assert len(data.lacks) == 1
