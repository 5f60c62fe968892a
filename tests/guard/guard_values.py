"""Values of the guard's corpus, made by a fixed seed: people that do not exist, and what is no person's.

Every NHS number is of the 999 range, which is given to nobody. Names of the half that is tuned on are not those of the
half that is reported.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

Make = Callable[[Random, str], str]  # a value by chance; the half of the corpus says whose names are used

SURNAMES = {
    "tuned": "Smith Patel Okafor Kowalski Hughes O'Brien Begum Ashworth Nguyen Fernandes Llewellyn MacDonald Rahman "
    "Whitehouse Adeyemi Clarke Iqbal Turner Sandhu Novak",
    "held out": "Taylor Hussain Eze Wisniewska Griffiths O'Sullivan Khatun Butterworth Tran D'Souza Prydderch "
    "McAllister Chowdhury Featherstone Olawale Walker Akhtar Cooper Gill Horvath Van-der-Berg",
}
FORENAMES = {
    "tuned": "John Priya Chidi Agnieszka Gareth Siobhan Fatima Harold Linh Maria Rhys Fiona Mohammed Peter Folake Emma "
    "Zainab Thomas Harpreet Petra",
    "held out": "Mary Imran Ngozi Tomasz Cerys Declan Nasreen Doreen Minh Joao Ffion Hamish Abdul Nicola Tunde Oliver "
    "Sadia George Manpreet Zoltan",
}
STREETS = "High Street|Church Lane|Victoria Road|Mill Close|Station Approach|The Green|Orchard Way|Park Avenue"
TOWNS = "Southampton Portsmouth Winchester Havant Fareham Andover Eastleigh Romsey"
AREAS = "SO14 SO16 PO6 PO12 RG21 GU34 SP10 BH24"


def check_digit(nine: str) -> int:
    """The tenth digit, by the Data Dictionary's words and not by the product's code; 10 where there is none."""
    rest = sum(int(d) * (10 - n) for n, d in enumerate(nine)) % 11
    return (11 - rest) % 11


def nhs(r: Random, _: str = "") -> str:
    while True:
        nine = f"999{r.randrange(10**6):06d}"
        if check_digit(nine) < 10:
            return f"{nine}{check_digit(nine)}"


def mistyped(r: Random, _: str) -> str:
    good = nhs(r)
    return good[:9] + str((int(good[9]) + r.randrange(1, 10)) % 10)


def ten_digits(r: Random, _: str) -> str:
    """Any number of a booking: one in eleven passes the check by chance."""
    return str(r.randrange(4_000_000_000, 8_000_000_000))


def chance(r: Random, _: str) -> str:
    """The one in eleven."""
    while True:
        found = ten_digits(r, "")
        if check_digit(found[:9]) == int(found[9]):
            return found


def name(r: Random, half: str) -> str:
    return r.choice(FORENAMES[half].split())


def surname(r: Random, half: str) -> str:
    return r.choice(SURNAMES[half].split())


def full(r: Random, half: str) -> str:
    return f"{name(r, half)} {surname(r, half)}"


def titled(r: Random, half: str) -> str:
    return f"{r.choice(['Mr', 'Mrs', 'Ms', 'Miss'])} {name(r, half)[0]} {surname(r, half)}"


def turned(r: Random, half: str) -> str:
    return f"{surname(r, half).upper()}, {name(r, half)}"


def birth(form: str) -> Make:
    def make(r: Random, _: str) -> str:
        return (date(1928, 1, 1) + timedelta(days=r.randrange(33_000))).strftime(form)

    return make


def recent(form: str) -> Make:
    def make(r: Random, _: str) -> str:
        return (date(2023, 4, 1) + timedelta(days=r.randrange(45))).strftime(form)

    return make


def referral(r: Random, _: str) -> str:
    return (date(2019, 6, 1) + timedelta(days=r.randrange(1300))).strftime("%d/%m/%Y")


def postcode(r: Random, _: str) -> str:
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    return f"{r.choice(AREAS.split())} {r.randrange(1, 10)}{r.choice(letters)}{r.choice(letters)}"


def tight_postcode(r: Random, half: str) -> str:
    return postcode(r, half).replace(" ", "")


def address(r: Random, _: str) -> str:
    return f"{r.randrange(1, 140)} {r.choice(STREETS.split('|'))}, {r.choice(TOWNS.split())}"


def mobile(r: Random, _: str) -> str:
    return f"07{r.randrange(700, 999)} {r.randrange(10**6):06d}"


def landline(r: Random, _: str) -> str:
    return f"023 {r.randrange(8000, 9999)} {r.randrange(10**4):04d}"


def mail(r: Random, half: str) -> str:
    host = r.choice(["example.com", "example.org", "mail.example"])
    return f"{name(r, half)}.{surname(r, half)}{r.randrange(99)}@{host}".lower().replace("'", "")


def office(r: Random, _: str) -> str:
    return f"{r.choice(['ops', 'performance', 'bi.team', 'epr'])}@{r.choice(['rhu', 'rhm', 'rn5'])}.example"


def number(form: str) -> Make:
    """Of a form: # is a digit, ? a capital."""

    def make(r: Random, _: str) -> str:
        swap = {"#": "0123456789", "?": "ABCDEFGHJKLMNPRSTUWXYZ"}
        return "".join(r.choice(swap[c]) if c in swap else c for c in form)

    return make


def one_of(listed: str) -> Make:
    choices = listed.split("|")
    return lambda r, _: r.choice(choices)


def count(r: Random, _: str) -> str:
    return str(r.randrange(0, 60))


def about(r: Random, half: str) -> str:
    """What clerks write of a patient."""
    said = [
        "{t} rang to say she cannot come in before her holiday and asks for a date in May",
        "Pt aware, spoke to his daughter {n} who will ring back about transport on the day",
        "Patient very upset as this is the third time that her operation has been cancelled",
        "{t} has been told by phone, he would like to see the same consultant at the next visit",
        "Left a message with the wife, she says he is diabetic and needs the first slot of the list",
        "Lives alone since husband died, please ring the care home before she is rebooked again",
    ]
    return r.choice(said).format(t=titled(r, half), n=name(r, half))


def harmless_text(r: Random, _: str) -> str:
    return r.choice(
        [
            "Figures are provisional until the end of the month and may change when the system is reconciled",
            "Theatre 3 was closed for the whole day because no anaesthetic cover could be arranged",
            "Includes activity that was moved to the independent sector before the notice was served",
            "Clinic templates were reduced in advance so nothing was booked on either day of the action",
            "Data taken from the warehouse at six in the morning, refreshed again before submission",
        ]
    )


def with_form(make: Make, form: str) -> Make:
    return lambda r, half: form.format(make(r, half))


def spaced(r: Random, _: str) -> str:
    n = nhs(r)
    return f"{n[:3]} {n[3:6]} {n[6:]}"


def dashed(r: Random, _: str) -> str:
    return spaced(r, "").replace(" ", "-")


def mostly(make: Make, other: Make, share: float) -> Make:
    return lambda r, half: make(r, half) if r.random() < share else other(r, half)


def identity_in_key(r: Random, half: str) -> str:
    return f"{surname(r, half)} {name(r, half)} {r.randrange(1930, 2015)}"
