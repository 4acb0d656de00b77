//! The table of names: what the value under a name is, by where the name stands and what stands around it.
//!
//! For an auditor to read and for every walker to ask; `docs/redaction.md` is made of it. Names compare folded
//! ([`name::fold`]), so each stands here once. The first row that fits decides: one that names what is around it before one
//! that does not. From Cisco's Finesse developer guides, the XMPP RFCs and XEPs, IANA's header fields and OAuth's parameters.

use super::name;
use super::{Class, words};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Where a name stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Place {
    /// An element of XML, or a member of JSON.
    Member,
    /// An attribute of an element.
    Attribute,
    /// A header field.
    Header,
    /// A field of a query or form.
    Pair,
    /// A cookie.
    Cookie,
    /// A parameter of a path's segment: `;jsessionid=…`.
    Matrix,
}

impl Place {
    /// As documents write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "element, member",
            Self::Attribute => "attribute",
            Self::Header => "header",
            Self::Pair => "query, form",
            Self::Cookie => "cookie",
            Self::Matrix => "path parameter",
        }
    }
}

/// What a value is: its class, and how it is taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum What {
    /// Opens something.
    Credential,
    /// Names a session.
    Session,
    /// A login id or JID localpart.
    Login,
    /// A person's name or address.
    Person,
    /// A telephone's number.
    Phone,
    /// Customer data.
    Customer,
    /// A team's, queue's or certificate's name.
    Label,
    /// A host, address or authority.
    Host,
    /// `localpart@host/resource`.
    Jid,
    /// A path, or a node of publish-subscribe.
    Path,
    /// A REST object or the class of a node: a path below `/finesse/api/`.
    Node,
    /// A URL.
    Url,
    /// A number that the server gives: of a dialog, team, queue.
    Number,
    /// An id that whoever made it chose: of a stanza, request, item.
    Id,
    /// An XMPP resource.
    Resource,
    /// The name of a SASL mechanism.
    Mechanism,
    /// The name of a call variable.
    Variable,
    /// A state, code, type, count or time.
    Word,
    /// A condition or other name of an element.
    Condition,
    /// A namespace.
    Namespace,
    /// A sentence that somebody else wrote.
    Sentence,
    /// A sentence of this program's own, in which names may stand.
    Own,
    /// A method of HTTP.
    Method,
    /// Several of them.
    Methods,
    /// Names of header fields.
    Names,
    /// Languages with weights.
    Languages,
    /// Media types, encodings and the like, with parameters.
    Media,
    /// A date (RFC 9110 section 5.6.7).
    Date,
    /// Directives and numbers: `max-age=3600, private`.
    Directives,
    /// What a browser says it is.
    UserAgent,
    /// WebSocket subprotocols.
    Subprotocols,
    /// WebSocket extensions.
    Extensions,
    /// `SCHEME credentials`.
    Authorization,
    /// `SCHEME realm="…", SCHEME …`.
    Challenge,
    /// `name=value; name=value`.
    Cookies,
    /// `name=value; Attribute; …`.
    SetCookie,
    /// `name=value&name=value`.
    Pairs,
    /// `CN=…, O=…`.
    DistinguishedName,
    /// The text of a stanza.
    Stanza,
    /// The content of a REST message.
    Content,
    /// A message of Socket.IO and the like.
    Packet,
    /// An id of this program's own.
    OwnId,
    /// The id of a line: a run's ULID and a number.
    RunId,
    /// What ties the lines of one request together: made of its id.
    Transaction,
    /// The name of something that holds others: it has no value.
    Structure,
    /// No rule knows it.
    Unknown,
}

impl What {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 46] = [
        Self::Credential,
        Self::Session,
        Self::Login,
        Self::Person,
        Self::Phone,
        Self::Customer,
        Self::Label,
        Self::Host,
        Self::Jid,
        Self::Path,
        Self::Node,
        Self::Url,
        Self::Number,
        Self::Id,
        Self::Resource,
        Self::Mechanism,
        Self::Variable,
        Self::Word,
        Self::Condition,
        Self::Namespace,
        Self::Sentence,
        Self::Own,
        Self::Method,
        Self::Methods,
        Self::Names,
        Self::Languages,
        Self::Media,
        Self::Date,
        Self::Directives,
        Self::UserAgent,
        Self::Subprotocols,
        Self::Extensions,
        Self::Authorization,
        Self::Challenge,
        Self::Cookies,
        Self::SetCookie,
        Self::Pairs,
        Self::DistinguishedName,
        Self::Stanza,
        Self::Content,
        Self::Packet,
        Self::OwnId,
        Self::RunId,
        Self::Transaction,
        Self::Structure,
        Self::Unknown,
    ];

    /// The class of the policy it falls under.
    #[must_use]
    pub fn class(self) -> Class {
        match self {
            Self::Credential | Self::Authorization | Self::Challenge => Class::Credential,
            Self::Session | Self::Cookies | Self::SetCookie => Class::Session,
            Self::Login | Self::Person | Self::Jid => Class::Person,
            Self::Phone => Class::Phone,
            Self::Customer => Class::Customer,
            Self::Label | Self::Variable | Self::Host | Self::Url | Self::DistinguishedName => Class::Infrastructure,
            Self::Structure | Self::Unknown => Class::Unknown,
            Self::Path
            | Self::Node
            | Self::Number
            | Self::Id
            | Self::Resource
            | Self::Mechanism
            | Self::Word
            | Self::Condition
            | Self::Namespace
            | Self::Sentence
            | Self::Own
            | Self::Method
            | Self::Methods
            | Self::Names
            | Self::Languages
            | Self::Media
            | Self::Date
            | Self::Directives
            | Self::UserAgent
            | Self::Subprotocols
            | Self::Extensions
            | Self::Pairs
            | Self::Stanza
            | Self::Content
            | Self::Packet
            | Self::OwnId
            | Self::RunId
            | Self::Transaction => Class::Operational,
        }
    }
}

/// Names that are one thing in one place.
pub struct Row {
    /// Where.
    pub place: Place,
    /// Names around it, one of which must be there; empty: any.
    pub within: &'static str,
    /// What the value is.
    pub what: What,
    /// The names, separated by white space.
    pub names: &'static str,
}

const fn row(place: Place, within: &'static str, what: What, names: &'static str) -> Row {
    Row { place, within, what, names }
}

use Place::{Attribute, Cookie, Header, Matrix, Member, Pair};

/// The table.
pub const ROWS: &[Row] = &[
    // Elements of XML and members of JSON: by what is around them.
    row(Member, "callVariable", What::Variable, "name"),
    row(Member, "callVariable", What::Customer, "value"),
    row(Member, "createdBy user users agent supervisor", What::Login, "id name"),
    row(Member, "team queue media teams queues skillGroup", What::Label, "name"),
    row(Member, "systemInfo primaryNode secondaryNode node ctiServer", What::Host, "host hostName name address"),
    row(Member, "contact", What::Person, "firstName lastName description"),
    row(Member, "contact", What::Phone, "phoneNumber"),
    row(Member, "phoneBook", What::Person, "name"),
    row(Member, "error failure", What::Sentence, "text"),
    row(Member, "reasonCode", What::Sentence, "label"),
    row(Member, "workflow workflowAction wrapUpReason mediaPropertiesLayout", What::Customer, "name label description"),
    row(Member, "reasonCode", What::Customer, "name description"),
    row(Member, "devices device", What::Phone, "id"),
    row(Member, "participant", What::Phone, "address"),
    // The same wherever they stand.
    row(
        Member,
        "",
        What::Login,
        "loginId loginName userId userName agentId agentLoginId login user toAgentId fromAgentId supervisorId",
    ),
    row(
        Member,
        "",
        What::Person,
        "firstName lastName nickName nick displayName fullName email mail agentName author upn userPrincipal user_principal",
    ),
    row(
        Member,
        "",
        What::Phone,
        "extension fromAddress toAddress dnis ani dialedNumber dialNumber dialNumbers dialogNumber mediaAddress \
         targetMediaAddress address phoneNumber phone number mobileNumber callbackNumber callbackNum device deviceId \
         activeDeviceId activeDevice secondaryNumber agentPhoneNumber deviceName queueNumber",
    ),
    row(
        Member,
        "",
        What::Customer,
        "wrapUpReason wrapUpReasons wrapUpItems wrapUpItem wrapUp body content subject notes note customerName accountNumber \
         baCampaign baAccountNumber baCustomerNumber baCustomerName baUserAccountNumber baResponse baStatus baTimeZone \
         baDialedListId baBuddyName callbackTime chat dtmfString",
    ),
    row(
        Member,
        "",
        What::Label,
        "teamName queueName skillName skillGroupName mrdName mediaName campaign campaignName description deploymentName \
         peripheralName realm",
    ),
    row(
        Member,
        "",
        What::Host,
        "hostName host primaryHost secondaryHost domain xmppDomain xmppPubSubDomain ip ipAddress server alternateHost",
    ),
    row(Member, "", What::Jid, "jid from to"),
    row(Member, "", What::Path, "uri source dialogs associatedDialogUri reasonCodesUri users queues teamUri"),
    row(Member, "", What::Url, "url href"),
    row(
        Member,
        "",
        What::Number,
        "dialogId mediaId teamId queueId mrdId skillId peripheralId associatedDialogId callKeyCallId callKeyPrefix \
         callKeySequenceNum secondaryCallType secondaryId team skillTargetId id subId item_id",
    ),
    row(Member, "", What::Id, "requestId trackingId"),
    row(Member, "", What::Resource, "resource"),
    row(Member, "", What::Mechanism, "mechanism"),
    row(
        Member,
        "",
        What::Sentence,
        "errorMessage peripheralErrorText peripheralErrorMsg errorText errorType label reason text statusReason errorMedia \
         securityBannerMessage",
    ),
    row(
        Member,
        "",
        What::Word,
        "state pendingState previousState stateChangeTime stateCause startTime endTime createdAt duration event object callType \
         mediaType mediaAddressType outboundClassification action actions requestedAction role roles category code forAll \
         reasonCodeId reasonCode systemCode wrapUpTimer wrapUpOnIncoming wrapUpOnOutgoing serviceStatus currentTimestamp \
         timezoneOffset systemAuthMode deploymentType peripheralType version interruptible routable maxDialogLimit \
         dialogLogoutAction interruptAction callsInQueue startTimeOfLongestCallInQueue agentsReady agentsNotReady \
         agentsTalkingInbound agentsTalkingOutbound agentsTalkingInternal agentsWrapUpNotReady agentsWrapUpReady agentsBusyOther \
         agentsLoggedOn agentsTalking agentsOnHold avgWaitTime silentMonitorTarget mediaState available online optional required \
         show priority method hash stamp isLoggedIn finesseVersion wrapUpState dialogType taskType language status authMode \
         peripheralErrorCode statusCode errorData lastCtiHeartbeatStatus lastSuccessCtiHeartbeatTime ctiVersion \
         ctiHeartbeatInterval ctiMMode ctiTimeInMMode finesseMMode finesseTimeInMMode license httpsPort xmppPort xmppSecurePort \
         connectedDuration active mode deviceType deviceTypeName deviceSelection logoutAllMedia mediaConnected finesseAssociated \
         channel mediaClass systemStatus isAlternateSystemAvailable desktopLicensed enableMobileAgentLogin isProxyRequest \
         redirectToAlternateHost estimatedCompletionTime pendingUserDisconnections usersLoggedIn desktopUsers fippaUsers \
         thirdPartyUsers totalConnectedUsers totalConnectedUsersViaProxy desktop fippa thirdPartyClients expires_in token_type \
         passwordExpired passwordPolicy sessionTimeout scope",
    ),
    row(Member, "", What::Credential, "authorization samlResponse samlRequest relayState uniqueId digest"),
    row(Member, "", What::Session, "previd sid jsessionid"),
    row(
        Member,
        "",
        What::Structure,
        "apiError apiErrors callVariable callVariables column config configs contact contacts createdBy data desktopConfig \
         devices dialog entry errorDatas followUpCall header layoutConfig log logData media mediaDialogs mediaList \
         mediaProperties mediaPropertiesLayout mediaPropertiesLayouts mediaProperty medias name node notification participant \
         participants phoneBook phoneBooks primaryNode queue reasonCodes reporter row scheduledCallbackInfo secondaryNode section \
         settings skillGroup statistics systemInfo systemVariable systemVariables teamMessage teamMessages teamResource \
         teamResources teams update value variables workflow workflowAction workflowActions workflows params param handledBy \
         trigger triggerSet conditions condition conditionSet uiType unknown actionParams actionParam mobileAgent ctiServers \
         ctiServer userAuthMode userSummary maintenanceMode clientLog list listItem",
    ),
    row(
        Member,
        "",
        What::Structure,
        "a abort affiliation affiliations answer auth authenticate bind c challenge close composing compress compression configure \
         create default delay delete enable enabled error failed failure feature features field gone group headers identity \
         inactive instructions invalid-payload iq item items mechanisms message open option options paused ping presence proceed \
         publish pubsub purge push query r redirect register registered response resume resumed retract session sm starttls stream \
         subscribe subscribe-options subscription subscriptions success terminate thread title unsubscribe unsupported x \
         set first last count index before after max",
    ),
    // Attributes, by their element and by themselves.
    row(Attribute, "enabled resumed resume failed", What::Session, "id"),
    row(Attribute, "enabled", What::Host, "location"),
    row(Attribute, "body", What::Session, "authid"),
    row(Attribute, "c", What::Unknown, "node ver"),
    row(Attribute, "item query", What::Label, "name"),
    row(Attribute, "", What::Session, "previd sid"),
    row(Attribute, "", What::Credential, "rid key newkey digest password token"),
    row(Attribute, "", What::Jid, "from to jid by publisher"),
    row(Attribute, "", What::Path, "node affiliation_node"),
    row(Attribute, "", What::Word, "ack"),
    row(Attribute, "", What::Id, "id subid authid"),
    row(Attribute, "", What::Mechanism, "mechanism"),
    row(Attribute, "", What::Condition, "condition"),
    row(Attribute, "", What::Languages, "lang"),
    row(
        Attribute,
        "",
        What::Word,
        "type version ver subscription affiliation action code stamp seconds hash h max resume wait hold requests inactivity \
         polling secure category restartlogic restart maxpause ask expiry",
    ),
    row(Attribute, "", What::Media, "content"),
    // Header fields.
    row(Header, "", What::Authorization, "authorization proxy-authorization"),
    row(Header, "", What::Challenge, "www-authenticate proxy-authenticate"),
    row(Header, "", What::Cookies, "cookie"),
    row(Header, "", What::SetCookie, "set-cookie"),
    row(Header, "", What::Url, "referer location content-location origin access-control-allow-origin refresh"),
    row(Header, "", What::Host, "host"),
    row(Header, "", What::Label, "server via alt-svc"),
    row(Header, "", What::UserAgent, "user-agent"),
    row(Header, "", What::Id, "requestid"),
    row(Header, "", What::Subprotocols, "sec-websocket-protocol"),
    row(Header, "", What::Extensions, "sec-websocket-extensions"),
    row(Header, "", What::Methods, "allow access-control-allow-methods access-control-request-method"),
    row(
        Header,
        "",
        What::Names,
        "vary access-control-allow-headers access-control-expose-headers access-control-request-headers trailer connection \
         proxy-connection upgrade te transfer-encoding",
    ),
    row(Header, "", What::Languages, "accept-language content-language"),
    row(Header, "", What::Date, "date expires last-modified if-modified-since"),
    row(
        Header,
        "",
        What::Media,
        "accept accept-charset accept-encoding accept-ranges content-type content-encoding sec-ch-ua sec-ch-ua-mobile \
         sec-ch-ua-platform",
    ),
    row(
        Header,
        "",
        What::Directives,
        "access-control-allow-credentials access-control-max-age age cache-control content-length content-range dnt expect \
         keep-alive max-forwards pragma priority range referrer-policy retry-after sec-fetch-dest sec-fetch-mode sec-fetch-site \
         sec-fetch-user sec-websocket-version strict-transport-security upgrade-insecure-requests x-content-type-options \
         x-frame-options x-requested-with x-xss-protection",
    ),
    row(Header, "", What::Sentence, "content-security-policy content-disposition warning"),
    row(Header, "", What::Unknown, "sec-websocket-key sec-websocket-accept"),
    // Fields of queries and forms.
    row(Pair, "", What::Session, "sid jsessionid"),
    row(
        Pair,
        "",
        What::Credential,
        "code st headers samlRequest samlResponse relayState uniqueId assertion sig signature ticket rid",
    ),
    row(Pair, "", What::Login, "cc_username"),
    row(Pair, "", What::Url, "url redirect_uri gadget"),
    row(
        Pair,
        "",
        What::Word,
        "_ nocache category locale lang language country version v ver libs container view debug mid synd httpMethod contentType \
         type refresh output summary startIndex count limit offset sort bypassSpecCache bypassServerCache getSummaries numEntries \
         signOwner signViewer authz eio transport response_type response_mode scope grant_type callbackType fullHeaders \
         return_refresh_token includeLoggedOutAgents",
    ),
    row(Pair, "", What::Structure, "id client_id nodes"),
    // Cookies; any other names a session.
    row(
        Cookie,
        "",
        What::Word,
        "timeBeforeFailover attemptsMade seqNumberGenerated timeBeforeLoadingOtherSide timeBeforeAttemptingLoginInIframe",
    ),
    row(Cookie, "", What::Login, "cc_username"),
    row(Cookie, "", What::Phone, "finesse_ag_extension"),
    row(Cookie, "", What::Session, "jsessionid jsessionidsso jsessionid_sso jsessionidfinesse jsessionidcuic"),
    row(Matrix, "", What::Session, "jsessionid sid phpsessid"),
];

type Rows = HashMap<(Place, String, String), What>;

static TABLE: LazyLock<Rows> = LazyLock::new(|| {
    let mut table = Rows::new();
    for row in ROWS {
        for name in row.names.split_ascii_whitespace() {
            let mut add = |within: &str| {
                let name = if name == "_" { String::from("_") } else { name::fold(name) };
                table.entry((row.place, name::fold(within), name)).or_insert(row.what);
            };
            match row.within {
                "" => add(""),
                within => within.split_ascii_whitespace().for_each(add),
            }
        }
    }
    table
});

/// What a name says of its value in its place; `within` is the name around it. `None` if no row knows it.
#[must_use]
pub fn find(place: Place, within: &str, name: &str) -> Option<What> {
    if name.len() > name::MAX_NAME_BYTES {
        return None;
    }
    let folded = if name == "_" { String::from("_") } else { name::fold(name) };
    let row = |within: String| TABLE.get(&(place, within, folded.clone())).copied();
    let around = (!within.is_empty()).then(|| row(name::fold(within))).flatten();
    around.or_else(|| row(String::new()))
}

/// The same, and for what no row knows by the words in the name.
#[must_use]
pub fn judge(place: Place, within: &str, name: &str) -> What {
    let by_words = || match name::secret(name) {
        Some(Class::Session) => What::Session,
        Some(_) => What::Credential,
        None => What::Unknown,
    };
    match find(place, within, name) {
        // What only holds others may be named so too: a password under a structure's name is one.
        Some(What::Structure) | None if place != Place::Cookie => match by_words() {
            What::Unknown => find(place, within, name).unwrap_or(What::Unknown),
            what => what,
        },
        Some(what) => what,
        None if is_cookie_of_a_person(name).is_some() => What::Login,
        None => What::Session,
    }
}

/// Whether an element's or member's name is one of the protocols or of Finesse, so that it may be written anywhere.
#[must_use]
pub fn is_known_member(name: &str) -> bool {
    find(Place::Member, "", name).is_some() || name::is_telling(name) || words::is_condition(name)
}

/// The beginning of a cookie's name behind which stands whose it is, bytes.
#[must_use]
pub fn is_cookie_of_a_person(name: &str) -> Option<usize> {
    let lower = name.to_ascii_lowercase();
    ["finesse_ma_", "activedeviceid"].iter().find(|prefix| lower.starts_with(**prefix)).map(|prefix| prefix.len())
}

/// Whether a cookie's name tells nothing of whose it is.
#[must_use]
pub fn is_known_cookie(name: &str) -> bool {
    find(Place::Cookie, "", name).is_some() || name::is_telling(name)
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
