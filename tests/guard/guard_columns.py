"""Columns of the corpus: a heading in the manner of a system, its values, and what they are; None is no person's.

Systems alternate between the half that was tuned on and the half that is reported, so no heading that is reported was
tuned on in that system's manner.
"""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass
from random import Random

import guard_values as v
from guard_values import Make

SEED = 20230411
NHS, HOSPITAL, STAFF, BIRTH, NAMES, POSTCODES, CONTACT, TEXT = (
    "NHS numbers",
    "hospital numbers",
    "staff numbers",
    "dates of birth",
    "names",
    "postcodes",
    "addresses",
    "text about people",
)
CLASSES = (NHS, HOSPITAL, STAFF, BIRTH, NAMES, POSTCODES, CONTACT, TEXT)


@dataclass(frozen=True)
class Labelled:
    """One column. `is_mapped`: a dialect reads it as an opaque key."""

    half: str
    system: str
    heading: str
    values: Counter[str]
    label: str | None


Row = tuple[str, Make, str | None, int]
_SITES = "Queen Alexandra Hospital|St Mary's Hospital|Royal South Hants|Lymington New Forest|Princess Anne Hospital"
_TFC = "110 - Trauma and Orthopaedics|100 General Surgery|320 Cardiology|502 Gynaecology|130 Ophthalmology"
_WARDS = "Victoria Ward|Nightingale|Ward C5|Elizabeth Garrett|Mary Seacole|Day Surgery Unit|Charles Ward"
_REASONS = "No anaesthetist|Theatre closed|Clinic reduced in advance|Junior doctor absent|Beds|Other"
_TRUSTS = "Portsmouth Hospitals University NHS Trust|Isle of Wight NHS Trust|Hampshire Hospitals NHS Foundation Trust"
_SHORT = "none|None|n/a|provisional|checked|see above|nil|late return"
_STATUS = "Cancelled|Rebooked|Reinstated|Anticipated"

SYSTEMS: dict[str, list[Row]] = {
    # Reports of a patient administration system, headings for people.
    "PAS report": [
        ("NHS Number", v.nhs, NHS, 40),
        ("Hospital Number", v.number("?######"), HOSPITAL, 40),
        ("Surname", v.surname, NAMES, 40),
        ("Forename(s)", v.name, NAMES, 40),
        ("Date of Birth", v.birth("%d/%m/%Y"), BIRTH, 40),
        ("Patient Postcode", v.postcode, POSTCODES, 40),
        ("Patient Address", v.address, CONTACT, 40),
        ("Home Telephone", v.landline, CONTACT, 40),
        ("Comments", v.about, TEXT, 30),
        ("Comments", v.one_of(_SHORT), None, 40),
        ("Site Postcode", v.one_of("PO6 3LY|SO16 6YD|SO30 2HN"), None, 40),
        ("Contact Telephone", v.landline, None, 1),
        ("Patient Type", v.one_of("Elective|Day case|Outpatient"), None, 40),
        ("Patients Notified", v.one_of("Y|N"), None, 40),
        ("Number of Patients", v.count, None, 40),
        ("Specialty", v.one_of(_TFC), None, 40),
        ("Ward Name", v.one_of(_WARDS), None, 40),
        ("Hospital", v.one_of(_SITES), None, 40),
    ],
    # The same matters as another supplier's screen names them.
    "PAS extract": [
        ("NHS No.", v.spaced, NHS, 25),
        ("Hosp No", v.number("#######"), HOSPITAL, 25),
        ("Pt Name", v.turned, NAMES, 25),
        ("D.O.B.", v.birth("%d-%b-%Y"), BIRTH, 25),
        ("Pt Postcode", v.tight_postcode, POSTCODES, 25),
        ("Tel No (Home)", v.landline, CONTACT, 25),
        ("Mobile No", v.mobile, CONTACT, 25),
        ("Booking Notes", v.about, TEXT, 25),
        ("Notes", v.one_of(_SHORT), None, 25),
        ("Mobile unit", v.one_of("Unit 1|Unit 2|Breast screening van"), None, 25),
        ("Pts cancelled", v.count, None, 25),
        ("Hosp Site", v.one_of(_SITES), None, 25),
        ("Booking Ref", v.ten_digits, None, 25),
        ("TCI Date", v.recent("%d-%b-%Y"), None, 25),
        ("Ref Date", v.referral, None, 25),
        ("Cons Spec", v.one_of("Trauma|Cardiology|Urology"), None, 25),
        ("GP Prac PC", v.one_of("PO1 2GJ|SO14 0YG"), None, 25),
        ("Pt Class", v.one_of("1|2|3"), None, 25),
    ],
    # Columns of a data warehouse.
    "warehouse": [
        ("NHSNumber", v.nhs, NHS, 60),
        ("NHSNumber", v.with_form(v.nhs, "{}.0"), NHS, 60),
        ("LocalPatientIdentifier", v.number("RHU#######"), HOSPITAL, 60),
        ("PatientSurname", v.surname, NAMES, 60),
        ("PatientForename", v.name, NAMES, 60),
        ("DateOfBirth", v.birth("%Y-%m-%d"), BIRTH, 60),
        ("PostcodeOfUsualAddress", v.postcode, POSTCODES, 60),
        ("PatientEmail", v.mail, CONTACT, 60),
        ("PathwayIdentifier", v.number("RHU000#########"), HOSPITAL, 60),
        ("ConsultantGMCCode", v.number("C#######"), STAFF, 60),
        ("CancellationNarrative", v.about, TEXT, 60),
        ("NHSNumberStatusIndicator", v.one_of("01|02|03"), None, 60),
        ("AgeAtActivity", v.count, None, 60),
        ("SitePostcode", v.postcode, None, 60),
        ("CreatedEpoch", v.number("16812#####"), None, 60),
        ("OrganisationName", v.one_of(_TRUSTS), None, 60),
        ("BirthsInPeriod", v.count, None, 60),
        ("ProcedureCode", v.number("?##.#"), None, 60),
    ],
    # A record of an electronic patient record's reporting view.
    "EPR view": [
        ("nhs_number", v.with_form(v.nhs, "{}.0"), NHS, 33),
        ("mrn", v.number("########"), HOSPITAL, 33),
        ("pat_last_name", v.surname, NAMES, 33),
        ("pat_first_name", v.name, NAMES, 33),
        ("birth_dt", v.birth("%Y-%m-%d 00:00:00"), BIRTH, 33),
        ("home_post_code", v.postcode, POSTCODES, 33),
        ("home_addr_line_1", v.address, CONTACT, 33),
        ("pat_email_addr", v.mail, CONTACT, 33),
        ("ubrn", v.number("000#########"), HOSPITAL, 33),
        ("responsible_gmc_no", v.number("#######"), STAFF, 33),
        ("free_text_reason", v.about, TEXT, 33),
        ("nhs_trust_code", v.one_of("RHU|RHM"), None, 33),
        ("fin_class", v.one_of("NHS|Private"), None, 33),
        ("loc_facility_postcode", v.postcode, None, 33),
        ("contact_email", v.office, None, 33),
        ("order_id", v.ten_digits, None, 33),
        ("mrn_count", v.count, None, 33),
        ("encounter_dt_tm", v.recent("%Y-%m-%d 09:30:00"), None, 33),
    ],
    # Electronic staff record and rota tools.
    "staff record": [
        ("Employee Number", v.number("2#######"), STAFF, 50),
        ("Assignment Number", v.number("2#######-2"), STAFF, 50),
        ("Last Name", v.surname, NAMES, 50),
        ("First Name", v.name, NAMES, 50),
        ("Employee Full Name", v.turned, NAMES, 50),
        ("GMC Number", v.number("#######"), STAFF, 50),
        ("Employee Date of Birth", v.birth("%d-%m-%Y"), BIRTH, 50),
        ("Work Email", v.mail, CONTACT, 50),
        ("Staff Group", v.one_of("Medical and Dental|Nursing and Midwifery Registered"), None, 50),
        ("Employee Count", v.count, None, 50),
        ("Headcount", v.count, None, 50),
        ("Grade", v.one_of("Foundation Year 1|Consultant|Specialty Registrar"), None, 50),
        ("Position Number", v.number("######"), None, 50),
        ("Cost Centre Name", v.one_of("Medicine Junior Doctors|Theatres|Emergency Department"), None, 50),
        ("Union", v.one_of("BMA|HCSA|Unison"), None, 50),
        ("Organisation Name", v.one_of(_TRUSTS), None, 50),
        ("Mobile Working", v.one_of("Yes|No"), None, 50),
        ("Assignment Category", v.one_of("Permanent|Fixed Term|Bank"), None, 50),
    ],
    "rota tool": [
        ("Payroll No", v.number("######"), STAFF, 20),
        ("Staff Name", v.full, NAMES, 20),
        ("Person", v.full, NAMES, 20),
        ("GMC", v.number("7######"), STAFF, 20),
        ("NMC PIN", v.number("##?####?"), STAFF, 20),
        ("Mobile", v.mobile, CONTACT, 20),
        ("Email", v.mail, CONTACT, 20),
        ("DOB", v.birth("%d/%m/%y"), BIRTH, 20),
        ("Reason", v.one_of(_REASONS), None, 20),
        ("Rota name", v.one_of("General Medicine SHO|Surgery F1|Paediatrics registrar"), None, 20),
        ("Staff no. due", v.count, None, 20),
        ("GMC registered", v.one_of("Yes|No"), None, 20),
        ("Rota contact email", v.office, None, 20),
        ("Bleep", v.number("####"), None, 20),
        ("Shift name", v.one_of("Long day|Night|Twilight"), None, 20),
        ("Base postcode", v.postcode, None, 20),
        ("Staff numbers", v.count, None, 20),
        ("Remarks", v.one_of("cover found|shift dropped|-|ok"), None, 20),
    ],
    # Report servers: text boxes as headings, column names after a dot or in brackets.
    "report server": [
        ("textbox_NHS_Number", v.nhs, NHS, 45),
        ("Patient[PatientName]", v.full, NAMES, 45),
        ("Patient[DOB]", v.birth("%Y-%m-%dT00:00:00"), BIRTH, 45),
        ("Patient[HospitalNumber]", v.number("?######"), HOSPITAL, 45),
        ("Patient[PostCode]", v.postcode, POSTCODES, 45),
        ("Patient[HomePhone]", v.mobile, CONTACT, 45),
        ("Clinician[GMCNumber]", v.number("C#######"), STAFF, 45),
        ("Appointment[Notes]", v.about, TEXT, 45),
        ("Site[PostCode]", v.postcode, None, 45),
        ("Site[Name]", v.one_of(_SITES), None, 45),
        ("Sum(PatientCount)", v.count, None, 45),
        ("Trust[Address]", v.one_of("Southwick Hill Road, Cosham|Tremona Road, Southampton"), None, 45),
        ("Report[Reference]", v.ten_digits, None, 45),
        ("Appointment[Notes]", v.one_of(_SHORT), None, 45),
        ("Date[Month]", v.one_of("April 2023|May 2023"), None, 45),
        ("textbox12", v.count, None, 45),
        ("Site[ContactNumber]", v.landline, None, 45),
        ("Specialty[Name]", v.one_of(_TFC), None, 45),
    ],
    "dashboard": [
        ("Nhs Nbr", v.spaced, NHS, 18),
        ("Pseudo NHS Number", v.nhs, NHS, 18),
        ("Patient", v.full, NAMES, 18),
        ("Patient ID", v.number("#######"), HOSPITAL, 18),
        ("Birth Date", v.birth("%d %B %Y"), BIRTH, 18),
        ("Patient's post code", v.postcode, POSTCODES, 18),
        ("Patient's phone", v.mobile, CONTACT, 18),
        ("Consultant GMC code", v.number("C#######"), STAFF, 18),
        ("Narrative", v.about, TEXT, 18),
        ("Narrative", v.harmless_text, None, 18),
        ("Patient count", v.count, None, 18),
        ("Patients", v.count, None, 18),
        ("Hospital name", v.one_of(_SITES), None, 18),
        ("Hospital postcode", v.postcode, None, 18),
        ("NHS Region", v.one_of("South East|London|North West"), None, 18),
        ("Patient cohort", v.one_of("Cancer|Routine|Urgent"), None, 18),
        ("Selected date", v.recent("%d %B %Y"), None, 18),
        ("Extract ID", v.ten_digits, None, 18),
    ],
    # A clerk's spreadsheet: few rows, headings as they come.
    "clerk's sheet": [
        ("NHS no", v.nhs, NHS, 1),
        ("NHS NO:", v.dashed, NHS, 2),
        ("nhs", v.nhs, NHS, 3),
        ("Name of patient", v.full, NAMES, 3),
        ("Name", v.titled, NAMES, 4),
        ("d o b", v.birth("%d.%m.%Y"), BIRTH, 2),
        ("K number", v.number("K######"), HOSPITAL, 3),
        ("Casenote no", v.number("######"), HOSPITAL, 3),
        ("post code", v.postcode, POSTCODES, 3),
        ("tel (home)", v.landline, CONTACT, 2),
        ("Comment", v.about, TEXT, 3),
        ("Comment", v.one_of("none"), None, 1),
        ("Date of birth:", v.one_of(""), None, 1),
        ("Name", v.one_of(_SITES), None, 4),
        ("Notes", v.harmless_text, None, 3),
        ("NHS number", v.one_of(""), None, 2),
        ("Surname", v.one_of("withheld|not sent|x"), None, 3),
        ("no of pts", v.count, None, 3),
    ],
    "waiting list sheet": [
        ("NHS Number", v.nhs, NHS, 2),
        ("nhs num", v.with_form(v.nhs, "'{}"), NHS, 3),
        ("Patients name", v.titled, NAMES, 3),
        ("First name", v.name, NAMES, 1),
        ("date birth", v.birth("%d/%m/%Y"), BIRTH, 1),
        ("Hospital no.", v.number("#######"), HOSPITAL, 2),
        ("District No", v.number("D######"), HOSPITAL, 2),
        ("Home postcode", v.postcode, POSTCODES, 1),
        ("Patient email", v.mail, CONTACT, 1),
        ("Patient comments", v.about, TEXT, 2),
        ("Notes / comments", v.one_of("none|done"), None, 2),
        ("D.O.B. (do not complete)", v.one_of(""), None, 3),
        ("Lead name", v.one_of("Theatres|Outpatients"), None, 2),
        ("Other remarks", v.harmless_text, None, 2),
        ("Hospital number", v.one_of("n/a|-"), None, 2),
        ("Patients' reason", v.one_of("Not known|Holiday"), None, 2),
        ("patients total", v.count, None, 2),
        ("name of site", v.one_of(_SITES), None, 2),
    ],
    # Headings that say nothing or something else: the values alone tell.
    "unnamed export": [
        ("Column1", v.nhs, NHS, 30),
        ("ref", v.mostly(v.nhs, v.mistyped, 0.8), NHS, 30),
        ("F7", v.spaced, NHS, 1),
        ("local_ref", v.with_form(v.nhs, "{}.0"), NHS, 12),
        ("key", v.identity_in_key, NAMES, 30),
        ("Column3", v.turned, NAMES, 30),
        ("Column4", v.birth("%d/%m/%Y"), BIRTH, 30),
        ("area", v.postcode, POSTCODES, 30),
        ("booked_by", v.mail, CONTACT, 30),
        ("x", v.about, TEXT, 30),
        ("Column5", v.ten_digits, None, 40),
        ("ref", v.chance, None, 1),
        ("booking", v.mostly(v.chance, v.ten_digits, 0.1), None, 20),
        ("Column6", v.recent("%d/%m/%Y"), None, 40),
        ("Column8", v.one_of(_TRUSTS), None, 40),
        ("Column9", v.referral, None, 40),
        ("Column10", v.one_of(_WARDS), None, 40),
        ("Column12", v.harmless_text, None, 20),
    ],
    "headless export": [
        ("", v.nhs, NHS, 22),
        ("id", v.mostly(v.mistyped, v.nhs, 0.25), NHS, 40),
        ("", v.dashed, NHS, 2),
        ("Unnamed: 4", v.with_form(v.nhs, ' ="{}"'), NHS, 9),
        ("Unnamed: 5", v.titled, NAMES, 22),
        ("Unnamed: 6", v.full, NAMES, 22),
        ("Unnamed: 7", v.birth("%Y-%m-%d"), BIRTH, 22),
        ("PC", v.tight_postcode, POSTCODES, 22),
        ("Unnamed: 9", v.mail, CONTACT, 22),
        ("details", v.about, TEXT, 22),
        ("", v.ten_digits, None, 60),
        ("id", v.chance, None, 1),
        ("Unnamed: 12", v.number("1681######"), None, 30),
        ("Unnamed: 13", v.recent("%Y-%m-%d"), None, 30),
        ("Unnamed: 14", v.one_of(_SITES), None, 30),
        ("Unnamed: 15", v.one_of(_TFC), None, 30),
        ("Unnamed: 16", v.landline, None, 1),
        ("Unnamed: 17", v.one_of(_REASONS), None, 30),
    ],
    # Neighbours: what comes nearest to an identifier and is none, and the other way round.
    "neighbours": [
        ("Trust address", v.one_of("Southwick Hill Road, Cosham"), None, 3),
        ("Submitted by (e-mail)", v.office, None, 1),
        ("Surname initial", v.one_of("A|B|C"), None, 20),
        ("Nursing home", v.one_of("Yes|No"), None, 20),
        ("Patient activity", v.count, None, 20),
        ("Birth centre", v.one_of("Grange Birth Centre|Mary Rose Birth Centre"), None, 20),
        ("Hospital no. of beds", v.count, None, 20),
        ("NHS numbers missing", v.count, None, 20),
        ("HRG", v.number("??##?"), None, 20),
        ("Address type", v.one_of("Site|Community"), None, 20),
        ("Unit number", v.count, None, 20),
        ("Commentary", v.one_of(_SHORT), None, 20),
        ("GP Practice Code", v.number("J8####"), None, 20),
        ("Contact mobile", v.mobile, None, 1),
        ("Patient NHS", v.nhs, NHS, 20),
        ("SURNAME_1", v.surname, NAMES, 20),
        ("MRN (Trust)", v.number("######"), HOSPITAL, 20),
        ("Next of kin", v.full, NAMES, 20),
        ("PatientDoB", v.birth("%d/%m/%Y"), BIRTH, 20),
        ("Pas number", v.number("######"), HOSPITAL, 20),
        ("NHS-Number", v.mostly(v.nhs, v.one_of(""), 0.3), NHS, 30),
        ("correspondence postcode", v.postcode, POSTCODES, 12),
        ("Address 1", v.address, CONTACT, 20),
        ("NOK phone", v.mobile, CONTACT, 20),
        ("ESR No", v.number("2#######"), STAFF, 20),
        ("Operator's remarks", v.about, TEXT, 20),
    ],
    "more neighbours": [
        ("Provider postcode", v.postcode, None, 12),
        ("Completed by phone", v.landline, None, 1),
        ("First named provider", v.one_of("RHU|RHM|R1F"), None, 20),
        ("Home visits", v.count, None, 20),
        ("Patient-initiated", v.one_of("Yes|No"), None, 20),
        ("Still births", v.count, None, 20),
        ("Hosp numbers affected", v.count, None, 20),
        ("NHS funded", v.one_of("Yes|No"), None, 20),
        ("OPCS", v.number("?##.#"), None, 20),
        ("Email sent", v.one_of("Y|N"), None, 20),
        ("Staff ID badge checks", v.count, None, 20),
        ("Free text", v.one_of("n/a|none"), None, 20),
        ("Practice postcode", v.postcode, None, 12),
        ("Switchboard tel", v.landline, None, 1),
        ("NHS_NUM", v.nhs, NHS, 20),
        ("Client surname", v.surname, NAMES, 20),
        ("Unit No.", v.number("?######"), HOSPITAL, 20),
        ("Carer name", v.full, NAMES, 20),
        ("dateofbirth", v.birth("%Y%m%d"), BIRTH, 20),
        ("Spell Number", v.number("S#########"), HOSPITAL, 20),
        ("patient nhs no (verified)", v.spaced, NHS, 20),
        ("Postcode", v.postcode, POSTCODES, 12),
        ("Address", v.address, CONTACT, 20),
        ("Patient mobile telephone", v.mobile, CONTACT, 20),
        ("NI Number", v.number("Q? ## ## ## C"), STAFF, 20),
        ("Further information", v.about, TEXT, 20),
    ],
}
HALVES = ("tuned", "held out")


def columns() -> list[Labelled]:
    """Every column, in order; the same at each call."""
    found = []
    for n, (system, rows) in enumerate(SYSTEMS.items()):
        half = HALVES[n % 2]
        for place, (heading, make, label, size) in enumerate(rows):
            r = Random(zlib.crc32(f"{SEED}/{system}/{place}".encode()))  # noqa: S311 - by a fixed seed
            values = Counter(make(r, half) for _ in range(size))
            found.append(Labelled(half, system, heading, values, label))
    return found
