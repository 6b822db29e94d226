//! The attributes of the federations' table (spec "Attributes"): names, forms, and who may release what.
//!
//! An attribute has one canonical name: the table's, without namespace. RPs and operators may say it under either
//! namespace, without one, or by the older draft's name.

/// The namespace of the current table.
pub const NAMESPACE: &str = "https://attributes.eid.gov.it/";
/// The namespace of the older draft, which RPs still use.
pub const OLDER_NAMESPACE: &str = "https://attributes.spid.gov.it/";

/// What a value must look like (the "form" column).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeForm {
    /// Four letters of the identity provider and ten alphanumerics.
    SpidCode,
    /// Words separated by single spaces, capitalised.
    Words,
    /// Text that is not empty.
    Text,
    /// `YYYY-MM-DD`.
    Date,
    /// `female` or `male`.
    Gender,
    /// `TINIT-` and a codice fiscale of a person.
    FiscalNumber,
    /// `TINIT-` and a codice fiscale or number of a company.
    CompanyFiscalNumber,
    /// `VATIT-` and eleven digits.
    VatNumber,
    /// Digits.
    Digits,
    /// `true` or `false`.
    Boolean,
    /// An electronic mail address.
    Email,
    /// An object with these members, all text except nested objects.
    Object(&'static [&'static str]),
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttributeInfo {
    /// The table's name without namespace: the name in the registry and in `Account::attributes`.
    pub name: &'static str,
    /// Whether the table's name has the namespace.
    pub namespaced: bool,
    /// Whether SPID releases it.
    pub spid: bool,
    /// Whether CIE releases it.
    pub cie: bool,
    /// What its value looks like.
    pub form: AttributeForm,
    /// The older draft's name (with its namespace or without), if that differs.
    pub older_name: Option<&'static str>,
}

impl AttributeInfo {
    /// The claim's name in the current table: `https://attributes.eid.gov.it/fiscal_number`, `given_name`.
    #[must_use]
    pub fn claim(&self) -> String {
        if self.namespaced {
            format!("{NAMESPACE}{}", self.name)
        } else {
            self.name.to_owned()
        }
    }
}

const fn row(
    name: &'static str,
    namespaced: bool,
    (spid, cie): (bool, bool),
    form: AttributeForm,
    older_name: Option<&'static str>,
) -> AttributeInfo {
    AttributeInfo {
        name,
        namespaced,
        spid,
        cie,
        form,
        older_name,
    }
}

const BOTH: (bool, bool) = (true, true);
const SPID: (bool, bool) = (true, false);
const CIE: (bool, bool) = (false, true);

/// The table, in its order.
pub static ATTRIBUTES: &[AttributeInfo] = &[
    row(
        "spid_code",
        true,
        SPID,
        AttributeForm::SpidCode,
        Some("spidCode"),
    ),
    row(
        "given_name",
        false,
        BOTH,
        AttributeForm::Words,
        Some("name"),
    ),
    row(
        "family_name",
        false,
        BOTH,
        AttributeForm::Words,
        Some("familyName"),
    ),
    row(
        "place_of_birth",
        false,
        BOTH,
        AttributeForm::Object(&["locality", "region"]),
        Some("placeOfBirth"),
    ),
    row(
        "birthdate",
        false,
        BOTH,
        AttributeForm::Date,
        Some("dateOfBirth"),
    ),
    row("gender", false, BOTH, AttributeForm::Gender, None),
    row(
        "company_name",
        true,
        SPID,
        AttributeForm::Text,
        Some("companyName"),
    ),
    row(
        "registered_office",
        true,
        SPID,
        AttributeForm::Object(&["formatted"]),
        Some("registeredOffice"),
    ),
    row(
        "fiscal_number",
        true,
        BOTH,
        AttributeForm::FiscalNumber,
        Some("fiscalNumber"),
    ),
    row(
        "company_fiscal_number",
        true,
        SPID,
        AttributeForm::CompanyFiscalNumber,
        Some("companyFiscalNumber"),
    ),
    row(
        "vat_number",
        true,
        SPID,
        AttributeForm::VatNumber,
        Some("ivaCode"),
    ),
    row(
        "document_details",
        false,
        BOTH,
        AttributeForm::Object(&[
            "type",
            "document_number",
            "issuer",
            "date_of_issuance",
            "date_of_expiry",
        ]),
        Some("idCard"),
    ),
    row(
        "phone_number",
        false,
        BOTH,
        AttributeForm::Digits,
        Some("mobilePhone"),
    ),
    row(
        "phone_number_verified",
        false,
        CIE,
        AttributeForm::Boolean,
        None,
    ),
    row("landline_number", true, CIE, AttributeForm::Digits, None),
    row("email_verified", false, CIE, AttributeForm::Boolean, None),
    row("email", false, BOTH, AttributeForm::Email, None),
    row(
        "e_delivery_service",
        true,
        BOTH,
        AttributeForm::Email,
        Some("digitalAddress"),
    ),
    row(
        "eid_exp_date",
        true,
        SPID,
        AttributeForm::Date,
        Some("expirationDate"),
    ),
    row(
        "address",
        false,
        BOTH,
        AttributeForm::Object(&[
            "street_address",
            "postal_code",
            "locality",
            "region",
            "country_code",
        ]),
        None,
    ),
];

/// The older draft's `countyOfBirth` is one member of an attribute of the table.
pub const COUNTY_OF_BIRTH: &str = "countyOfBirth";

/// The row that a claim means, under either namespace, without one, or by its older name.
///
/// `countyOfBirth` is answered with `place_of_birth`; [`claim_member`] says which member of it is meant.
#[must_use]
pub fn attribute(claim: &str) -> Option<&'static AttributeInfo> {
    let name = without_namespace(claim);
    let name = if name == COUNTY_OF_BIRTH {
        "place_of_birth"
    } else {
        name
    };
    ATTRIBUTES
        .iter()
        .find(|row| row.name == name || row.older_name == Some(name))
}

/// The canonical name of a claim, if the table has it.
#[must_use]
pub fn canonical_claim(claim: &str) -> Option<&'static str> {
    attribute(claim).map(|row| row.name)
}

/// The member of the attribute's object that a claim means, where it means only one.
#[must_use]
pub fn claim_member(claim: &str) -> Option<&'static str> {
    (without_namespace(claim) == COUNTY_OF_BIRTH).then_some("region")
}

/// A claim's name without either namespace.
#[must_use]
pub fn without_namespace(claim: &str) -> &str {
    claim
        .strip_prefix(NAMESPACE)
        .or_else(|| claim.strip_prefix(OLDER_NAMESPACE))
        .unwrap_or(claim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_has_one_canonical_name_whatever_it_is_called() {
        for claim in [
            "https://attributes.eid.gov.it/fiscal_number",
            "https://attributes.spid.gov.it/fiscal_number",
            "https://attributes.spid.gov.it/fiscalNumber",
            "fiscal_number",
            "fiscalNumber",
        ] {
            assert_eq!(canonical_claim(claim), Some("fiscal_number"), "{claim}");
        }
        assert_eq!(
            canonical_claim("https://attributes.eid.gov.it/document_details"),
            Some("document_details")
        );
        assert_eq!(canonical_claim("https://example.it/fiscal_number"), None);
        assert_eq!(canonical_claim("shoe_size"), None);
    }

    #[test]
    fn every_older_name_of_the_specification_is_known() {
        for older in [
            "name",
            "familyName",
            "placeOfBirth",
            "countyOfBirth",
            "dateOfBirth",
            "companyName",
            "registeredOffice",
            "fiscalNumber",
            "ivaCode",
            "idCard",
            "mobilePhone",
            "expirationDate",
            "digitalAddress",
        ] {
            assert!(
                canonical_claim(&format!("{OLDER_NAMESPACE}{older}")).is_some(),
                "{older}"
            );
        }
        assert_eq!(claim_member("countyOfBirth"), Some("region"));
        assert_eq!(claim_member("placeOfBirth"), None);
    }

    #[test]
    fn the_names_of_the_table_are_the_specifications() {
        let claims: Vec<String> = ATTRIBUTES.iter().map(AttributeInfo::claim).collect();
        assert!(claims.contains(&"https://attributes.eid.gov.it/spid_code".to_owned()));
        assert!(claims.contains(&"address".to_owned()));
        let spid = ATTRIBUTES.iter().filter(|row| row.spid).count();
        let cie = ATTRIBUTES.iter().filter(|row| row.cie).count();
        assert_eq!((ATTRIBUTES.len(), spid, cie), (20, 17, 14));
    }
}
