//! What an XML element, attribute or JSON member holds, by its name, the names around it, and nothing else.
//!
//! An allow-list: a name that is not here is [`What::Unknown`]. Names are compared in lower case. Taken from Cisco's
//! Finesse Web Services Developer Guide and the XMPP RFCs.

use crate::capture::rules::{self, Class};

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    Credential,
    Session,
    Login,
    Person,
    Phone,
    Customer,
    Label,
    Host,
    Jid,
    Path,
    Url,
    Identifier,
    Resource,
    /// An id that whoever made the request chose.
    StanzaId,
    /// The number of an error.
    Code,
    /// The name of a SASL mechanism.
    Mechanism,
    /// The name of a call variable.
    Variable,
    Word,
    Sentence,
    Unknown,
}

impl What {
    /// The class of the policy it falls under.
    pub(super) fn class(self) -> Class {
        match self {
            Self::Credential => Class::Credential,
            Self::Session => Class::Session,
            Self::Login | Self::Person | Self::Jid => Class::Person,
            Self::Phone => Class::Phone,
            Self::Customer => Class::Customer,
            Self::Label | Self::Variable | Self::Host | Self::Url => Class::Infrastructure,
            Self::Path
            | Self::Identifier
            | Self::Code
            | Self::Mechanism
            | Self::StanzaId
            | Self::Resource
            | Self::Word
            | Self::Sentence => Class::Operational,
            Self::Unknown => Class::Unknown,
        }
    }
}

/// What an element's text or a member's value is; `parent` is the name around it, both in lower case.
pub(super) fn member(name: &str, parent: &str) -> What {
    match rules::member(name) {
        Class::Credential => return What::Credential,
        Class::Session => return What::Session,
        _ => {}
    }
    match (parent, name) {
        ("callvariable", "name") => What::Variable,
        ("callvariable", _) => What::Customer,
        ("createdby" | "user" | "users" | "agent" | "supervisor", "id" | "name") => What::Login,
        ("team" | "queue" | "media" | "teams" | "queues" | "skillgroup", "name") => What::Label,
        ("systeminfo" | "primarynode" | "secondarynode" | "node", "host" | "hostname" | "name" | "address") => {
            What::Host
        }
        // Elsewhere a status is a person's: a presence's.
        ("systeminfo" | "media" | "maintenancemode", "status") => What::Word,
        ("systeminfo", "statusreason") => What::Sentence,
        ("contact", _) | ("phonebook", "name") => What::Person,
        ("stream:error" | "error" | "failure", "text") => What::Sentence,
        ("reasoncode", "label") => What::Sentence,
        (
            "workflow" | "workflowaction" | "reasoncode" | "wrapupreason" | "mediapropertieslayout",
            "name" | "label" | "description",
        ) => What::Customer,
        _ => alone(name),
    }
}

/// Whether a name says what its value is, whatever stands around it.
pub(super) fn is_value(name: &str) -> bool {
    alone(name) != What::Unknown
}

fn alone(name: &str) -> What {
    match name {
        "loginid" | "loginname" | "userid" | "username" | "agentid" | "agentloginid" | "login" | "user"
        | "toagentid" | "fromagentid" | "supervisorid" => What::Login,
        "firstname" | "lastname" | "nickname" | "nick" | "displayname" | "fullname" | "email" | "mail"
        | "agentname" | "author" => What::Person,
        "extension" | "fromaddress" | "toaddress" | "dnis" | "ani" | "dialednumber" | "dialnumber" | "dialnumbers"
        | "dialognumber" | "mediaaddress" | "targetmediaaddress" | "address" | "phonenumber" | "phone" | "number"
        | "mobilenumber" | "callbacknumber" | "callbacknum" | "device" | "deviceid" | "activedeviceid"
        | "activedevice" | "secondarynumber" | "agentphonenumber" | "devicename" => What::Phone,
        "wrapupreason" | "wrapupreasons" | "wrapupitems" | "wrapupitem" | "wrapup" | "body" | "content" | "subject"
        | "status" | "notes" | "note" | "customername" | "accountnumber" | "bacampaign" | "baaccountnumber"
        | "bacustomernumber" | "baresponse" | "bastatus" | "batimezone" | "badialedlistid" | "babuddyname"
        | "callbacktime" | "chat" => What::Customer,
        "teamname" | "queuename" | "skillname" | "skillgroupname" | "mrdname" | "medianame" | "campaign"
        | "campaignname" | "description" | "deploymentname" | "peripheralname" => What::Label,
        "hostname" | "host" | "alternatehost" | "primaryhost" | "secondaryhost" | "domain" | "xmppdomain"
        | "xmpppubsubdomain" | "ip" | "ipaddress" | "server" => What::Host,
        "jid" | "from" | "to" => What::Jid,
        "uri" | "source" | "dialogs" | "associateddialoguri" | "reasoncodesuri" | "users" | "queues" | "teamuri" => {
            What::Path
        }
        "url" | "href" => What::Url,
        "id" | "requestid" | "dialogid" | "mediaid" | "teamid" | "queueid" | "mrdid" | "skillid" | "subid"
        | "item_id" | "peripheralid" | "associateddialogid" | "callkeycallid" | "callkeyprefix"
        | "callkeysequencenum" | "queuenumber" | "secondarycalltype" | "secondaryid" | "team" => What::Identifier,
        "resource" => What::Resource,
        "mechanism" => What::Mechanism,
        "peripheralerrorcode" | "statuscode" => What::Code,
        "errormessage" | "peripheralerrortext" | "peripheralerrormsg" | "errortext" | "label" | "reason" | "text" => {
            What::Sentence
        }
        "state"
        | "pendingstate"
        | "previousstate"
        | "statechangetime"
        | "statecause"
        | "starttime"
        | "endtime"
        | "createdat"
        | "duration"
        | "event"
        | "object"
        | "calltype"
        | "mediatype"
        | "mediaaddresstype"
        | "outboundclassification"
        | "action"
        | "actions"
        | "requestedaction"
        | "role"
        | "roles"
        | "category"
        | "code"
        | "forall"
        | "reasoncodeid"
        | "reasoncode"
        | "systemcode"
        | "wrapuptimer"
        | "wrapuponincoming"
        | "wrapuponoutgoing"
        | "errortype"
        | "servicestatus"
        | "currenttimestamp"
        | "timezoneoffset"
        | "systemauthmode"
        | "deploymenttype"
        | "peripheraltype"
        | "systemstatus"
        | "lastctiheartbeatstatus"
        | "lastsuccessctiheartbeattime"
        | "ctiversion"
        | "ctiheartbeatinterval"
        | "ctimmode"
        | "ctitimeinmmode"
        | "finessemmode"
        | "finessetimeinmmode"
        | "isalternatesystemavailable"
        | "redirecttoalternatehost"
        | "isproxyrequest"
        | "desktoplicensed"
        | "enablemobileagentlogin"
        | "version"
        | "interruptible"
        | "routable"
        | "maxdialoglimit"
        | "dialoglogoutaction"
        | "callsinqueue"
        | "starttimeoflongestcallinqueue"
        | "agentsready"
        | "agentsnotready"
        | "agentstalkinginbound"
        | "agentstalkingoutbound"
        | "agentstalkinginternal"
        | "agentswrapupnotready"
        | "agentswrapupready"
        | "agentsbusyother"
        | "agentsloggedon"
        | "agentstalking"
        | "agentsonhold"
        | "avgwaittime"
        | "silentmonitortarget"
        | "mediastate"
        | "available"
        | "online"
        | "optional"
        | "required"
        | "show"
        | "priority"
        | "method"
        | "hash"
        | "stamp"
        | "isloggedin"
        | "finesseversion"
        | "wrapupstate"
        | "dialogtype"
        | "tasktype"
        | "language" => What::Word,
        _ => What::Unknown,
    }
}

/// What an attribute is; `element` is its element's local name.
pub(super) fn attribute(element: &str, name: &str, namespace: &str) -> What {
    let lower = name.to_lowercase();
    let sm = namespace.starts_with("urn:xmpp:sm:");
    match (element, &*lower) {
        (_, "previd" | "sid") => What::Session,
        (_, "rid" | "key" | "newkey" | "digest" | "password" | "token") => What::Credential,
        ("enabled" | "resumed" | "resume" | "failed", "id") if sm => What::Session,
        ("enabled", "location") => What::Host,
        (_, "from" | "to" | "jid" | "by" | "publisher") => What::Jid,
        ("c", "node" | "ver") => What::Unknown,
        ("item" | "query", "name") => What::Label,
        (_, "node" | "affiliation_node") => What::Path,
        (_, "ack") => What::Identifier,
        (_, "id" | "subid" | "authid") => What::StanzaId,
        ("method", "xmlns") => What::Word,
        (_, "mechanism") => What::Mechanism,
        (
            _,
            "type" | "version" | "ver" | "xml:lang" | "lang" | "subscription" | "affiliation" | "action" | "code"
            | "stamp" | "seconds" | "hash" | "h" | "max" | "resume" | "wait" | "hold" | "requests" | "inactivity"
            | "polling" | "content" | "secure" | "category" | "xmpp:version" | "xmpp:restartlogic" | "maxpause" | "ask"
            | "expiry" | "condition",
        ) => What::Word,
        _ => match rules::member(&lower) {
            Class::Credential if rules::is_telling(&lower) => What::Credential,
            _ => What::Unknown,
        },
    }
}
