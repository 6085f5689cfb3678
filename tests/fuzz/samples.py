"""A tiny valid copy of every data set that can be read: file name → content, by the name it is loaded under."""

import io

import pandas as pd

GENRES = "|".join("1" if genre in (1, 5) else "0" for genre in range(19))
MOVIES_CSV = b'movieId,title,genres\n2,Jumanji (1995),Adventure|Fantasy\n11,"President, The (1995)",Comedy\n5,Bare,\n'
URLS = "\thttp://x\thttp://y\n"
CREDITS = pd.DataFrame(
    [([{"name": "Actor", "order": 0}], [{"name": "John", "job": "Director"}], 862), ([], [], 892)],
    columns=["cast", "crew", "id"],
)
LOANS = pd.DataFrame({"user": ["ann", "bob", "ann"], "item": [12, 7, 7], "time": [3, 1, 2]})
BOOKS = pd.DataFrame(
    {"item": [7, 12], "title": ["Emma", "Ulysses"], "genres": ["love|wit", "myth"], "year": [1815, 1922]}
)


def parquet(frame: pd.DataFrame) -> bytes:
    """A frame as a parquet file."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


SAMPLES: dict[str, dict[str, bytes]] = {
    "ml-100k": {
        "u.data": b"1\t2\t3\t881250949\n1\t1\t4\t881250950\n7\t2\t5\t881250951\n",
        "u.item": "".join(
            f"{item}|{title}|01-Jan-1995||http://us.imdb.com/x|{GENRES}\n"
            for item, title in [(1, "Toy Story (1995)"), (2, "Misérables, Les (1995)")]
        ).encode("latin-1"),
    },
    "ml-1m": {
        "ratings.dat": b"1::122::5::838985046\n1::185::4::838983525\n34::122::1::838984474\n",
        "movies.dat": "122::Boomerang (1992)::Comedy|Romance\n185::Net, Thé (1995)::Action\n".encode("latin-1"),
    },
    "ml-10m": {
        "ratings.dat": b"1::122::5::838985046\n1::185::4.5::838983525\n34::122::0.5::838984474\n",
        "movies.dat": "122::Boomerang (1992)::Comedy|Romance\n185::Net, Thé (1995)::Action\n".encode(),
        "tags.dat": b"1::122::excellent!::1215184630\n34::122::Excellent!::1215184631\n34::185::a::b::1215184631\n",
    },
    "ml-25m": {
        "ratings.csv": b"userId,movieId,rating,timestamp\n1,2,3.5,1112486027\n1,11,4,1112484676\n7,5,1,1112484819\n",
        "movies.csv": MOVIES_CSV,
        "tags.csv": b'userId,movieId,tag,timestamp\n1,2,Rob,1137206825\n7,2, rob ,1137206826\n9,2,"a, b",1137206825\n',
        "genome-scores.csv": b"movieId,tagId,relevance\n2,1,0.8\n2,2,0.7\n5,1,0.025\n999,1,0.9\n",
        "genome-tags.csv": b"tagId,tag\n1,007\n2,cute!\n",
        "links.csv": b"movieId,imdbId,tmdbId\n2,0113497,862\n11,0101700,892\n5,,\n",
    },
    "lastfm-2k": {
        "artists.dat": f"id\tname\turl\tpictureURL\n51\tDuran Duran{URLS}52\tBjörk{URLS}9\tAl{URLS}".encode(),
        "tags.dat": "tagID\ttagValue\n1\tmetal\n24\tpop\n4571\trock français\n".encode("latin-1"),
        "user_taggedartists.dat": b"userID\tartistID\ttagID\tday\tmonth\tyear\n"
        b"2\t52\t1\t1\t4\t2009\n2\t9\t24\t1\t4\t2009\n3\t52\t1\t1\t6\t2010\n3\t777\t24\t1\t6\t2010\n3\t51\t24\t1\t6\t1956\n",
    },
    "recbole": {
        "any.inter": b"user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
        b"u2\t10\t4.0\t1112486027\nu1\t007\t3.5\t1112484676.5\nu1\t10\t3.5\t1112484676.5\n",
        "any.item": "item_id:token\tname:token_seq\tstudio:token\tgenre:token_seq\tepisodes:float\n"
        '10\tCowboy "Bebop\tSunrise\tAction Sci-Fi\t26\n007\tÅkira\t\tAction\t1\n'.encode(),
    },
    "music4all": {
        "id_information.csv": b"id\tartist\tsong\talbum_name\n000a\tCheryl\tRain\tWords\n"
        b'001b\tSigur\t"""Hop"" (live)"\tHeima\n',
        "id_genres.csv": b"id\tgenres\n001b\tpost-rock,ambient\n000a\tpop\n",
        "id_tags.csv": b"id\ttags\n000a\tpop, dance\n001b\t\n",
        "id_metadata.csv": b"id\tspotify_id\tpopularity\trelease\n000a\tx\t12.0\t2009\n001b\ty\t40.0\t\n",
        "id_lang.csv": b"id\tlang\n000a\ten\n001b\tis\n",
        "listening_history.csv": b"user\tsong\ttimestamp\nu1\t001b\t2019-02-20 12:28\nu2\t000a\t1970-01-01 00:01\n",
    },
    "own .csv": {"loans.csv": LOANS.to_csv(index=False).encode(), "books.csv": BOOKS.to_csv(index=False).encode()},
    "own .tsv": {
        "loans.tsv": LOANS.to_csv(index=False, sep="\t").encode(),
        "books.tsv": BOOKS.to_csv(index=False, sep="\t").encode(),
    },
    "own .parquet": {"loans.parquet": parquet(LOANS), "books.parquet": parquet(BOOKS)},
    "tmdb": {
        "movies_metadata.csv": "id,imdb_id,original_language,title,belongs_to_collection,production_companies,"
        "production_countries,overview\n862,tt0114709,en,Toy Story,"
        "\"{'id': 1, 'name': 'Toy Collection'}\",\"[{'name': 'Pixar', 'id': 3}]\","
        "\"[{'iso_3166_1': 'US', 'name': 'USA'}]\",\"Led\nby \"\"Buzz\"\"\"\n892,tt0101700,fr,Été,,[],[],\n".encode(),
        "credits.csv": CREDITS.to_csv(index=False).encode(),
        "links.csv": b"movieId,imdbId,tmdbId\n2,0114709,862\n11,0101700,892\n5,,\n",
    },
}
