//! HTTP exchanges in raw bytes that a parsing proxy would change: what goes in each way.

/// Name, client's bytes, server's bytes.
pub type Case = (&'static str, &'static str, &'static str);

/// Each of them was changed or refused by at least one proxy that parses.
pub const CASES: &[Case] = &[
    (
        "duplicate headers interleaved",
        "GET / HTTP/1.1\r\nHost: f\r\nCookie: a=1\r\nX: y\r\ncookie: b=2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nServer: f\r\nset-cookie: b=2\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "white space around values",
        "GET / HTTP/1.1\r\nHost:f\r\nX-Wide:  \t v \t \r\nX-Empty:\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:0\r\nX-Empty: \r\n\r\n",
    ),
    (
        "odd case of names",
        "GET / HTTP/1.1\r\nhOST: f\r\nREQUESTid: 1\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nsERVER: f\r\n\r\n",
    ),
    (
        "empty and odd reason phrases",
        "GET /1 HTTP/1.1\r\nHost: f\r\n\r\nGET /2 HTTP/1.1\r\nHost: f\r\n\r\n",
        "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\nHTTP/1.1 299 Fine \u{fc} thanks\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "103 early hints",
        "GET / HTTP/1.1\r\nHost: f\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ),
    (
        "102 processing",
        "GET / HTTP/1.1\r\nHost: f\r\n\r\n",
        "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "100-continue with headers of its own",
        "PUT / HTTP/1.1\r\nHost: f\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody",
        "HTTP/1.1 100 Continue\r\nX-Own: 1\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "expectation refused",
        "PUT / HTTP/1.1\r\nHost: f\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"f\"\r\nContent-Length: 2\r\n\r\nno",
    ),
    (
        "chunk extensions and trailers",
        "POST / HTTP/1.1\r\nHost: f\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0;last\r\nX-Sum: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n01 ; x=\"y\"\r\na\r\n0\r\nX-T: Fin\r\nx-undeclared: 2\r\n\r\n",
    ),
    (
        "upper-case chunk sizes with leading zeros",
        "GET / HTTP/1.1\r\nHost: f\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n000A\r\n0123456789\r\n0\r\n\r\n",
    ),
    (
        "body until the end of the connection",
        "GET / HTTP/1.1\r\nHost: f\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nas long as it lasts",
    ),
    ("HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nold"),
    (
        "HTTP/1.0 with keep-alive",
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
    ),
    ("HTTP/0.9", "GET /\r\n", "<html>no head at all</html>"),
    ("bare LF", "GET / HTTP/1.1\nHost: f\n\n", "HTTP/1.1 200 OK\nContent-Length: 2\n\nlf"),
    (
        "304 with a length",
        "GET / HTTP/1.1\r\nHost: f\r\nIf-None-Match: \"1\"\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\nETag: \"1\"\r\n\r\n",
    ),
    ("HEAD with a length", "HEAD / HTTP/1.1\r\nHost: f\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"),
    (
        "two Connection headers",
        "GET / HTTP/1.1\r\nHost: f\r\nConnection: TE\r\nTE: trailers\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nConnection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "length and chunked at once",
        "POST / HTTP/1.1\r\nHost: f\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "a blank in a name",
        "GET / HTTP/1.1\r\nHost: f\r\nX Y: z\r\nX : y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA B: c\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "obs-fold",
        "GET / HTTP/1.1\r\nHost: f\r\nX: a\r\n b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n\tb\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "targets that URI parsers refuse",
        "GET /a\"b<c>d`e?q=\"<>#frag|{} HTTP/1.1\r\nHost: f\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "bytes above 0x7f in head and target",
        "GET /\u{e4}\u{f6} HTTP/1.1\r\nHost: f\r\nX: \u{fc}\u{1f600}\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: \u{e9}\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "pipelined requests",
        "GET /1 HTTP/1.1\r\nHost: f\r\n\r\nGET /2 HTTP/1.1\r\nHost: f\r\n\r\nPOST /3 HTTP/1.1\r\nHost: f\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2HTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\n3",
    ),
    (
        "empty lines before a request",
        "\r\n\r\nGET / HTTP/1.1\r\nHost: f\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "a length twice",
        "POST / HTTP/1.1\r\nHost: f\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nx",
    ),
    (
        "upgrade refused, then keep-alive",
        "GET /ws/ HTTP/1.1\r\nHost: f\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET / HTTP/1.1\r\nHost: f\r\n\r\n",
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nnopeHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ),
    (
        "upgrade forbidden",
        "GET /ws/ HTTP/1.1\r\nHost: f\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
    ),
    (
        "upgrade not found",
        "GET /ws/ HTTP/1.1\r\nHost: f\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found",
    ),
    (
        "upgrade redirected",
        "GET /ws/ HTTP/1.1\r\nHost: f\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: https://other:8445/ws/\r\nContent-Length: 5\r\n\r\nthere",
    ),
    (
        "upgrade unavailable",
        "GET /ws/ HTTP/1.1\r\nHost: f\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 4\r\n\r\nbusy",
    ),
];
