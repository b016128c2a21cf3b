"""Requests that a correct client never sends, each with the exact answer: status, code, text."""
import os
import socket
import ssl
import time

from simulator import KEY, Simulator, now, sign, trusting

ORDER = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=90000.00"
SYMBOL_RANGE = r"^[\w\-._&&[^a-z]]{1,50}$"
LIST_RANGE = r'^\[("[\w\-._&&[^a-z]]{1,50}"(,"[\w\-._&&[^a-z]]{1,50}"){0,}){0,1}\]$'
NUMBER_RANGE = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
TOO_OLD = (400, -1021, "Timestamp for this request is outside of the recvWindow.")
AHEAD = (400, -1021, "Timestamp for this request was 1000ms ahead of the server's time.")
WRONG_SIGNATURE = (400, -1022, "Signature for this request is not valid.")
MALFORMED_KEY = (401, -2014, "API-key format invalid.")
ILLEGAL = (400, -1100, "Illegal characters found in a parameter.")
DUPLICATE = (400, -1101, "Duplicate values for a parameter detected.")
NO_BALANCE = (400, -2010, "Account has insufficient balance for requested action.")


class Checks:
    def __init__(self):
        self.passed = 0

    def expect(self, name, answer, wanted):
        status, content, _ = answer
        got = (status, content.get("code"), content.get("msg")) if isinstance(content, dict) else (status, content)
        if got != wanted:
            raise AssertionError(f"{name}: wanted {wanted}, got {got}")
        self.passed += 1

    def holds(self, name, condition):
        if not condition:
            raise AssertionError(name)
        self.passed += 1


def missing(name):
    return (400, -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def failed(name):
    return (400, -1013, f"Filter failure: {name}")


def identity(checks, sim):
    key = {"X-MBX-APIKEY": KEY}
    stamp = f"timestamp={now()}"
    account = "/api/v3/account"
    for name, answer, wanted in [
        ("no key", sim.send("GET", f"{account}?{stamp}&signature={sign(stamp)}"), MALFORMED_KEY),
        ("a cut key", sim.signed("GET", account, stamp, key=KEY[:-1]), MALFORMED_KEY),
        ("an unknown key", sim.signed("GET", account, stamp, key="A" * 64),
         (401, -2015, "Invalid API-key, IP, or permissions for action.")),
        ("another's secret", sim.signed("GET", account, stamp, secret="x"), WRONG_SIGNATURE),
        ("no signature", sim.send("GET", f"{account}?{stamp}", headers=key), missing("signature")),
        ("an empty signature", sim.send("GET", f"{account}?{stamp}&signature=", headers=key),
         (400, -1105, "Parameter 'signature' was empty.")),
        ("half a signature", sim.send("GET", f"{account}?{stamp}&signature={sign(stamp)[:32]}", headers=key),
         WRONG_SIGNATURE),
        ("a signature that is no hex", sim.send("GET", f"{account}?{stamp}&signature={'g' * 64}", headers=key),
         WRONG_SIGNATURE),
        ("a parameter added after signing",
         sim.send("GET", f"{account}?{stamp}&omitZeroBalances=true&signature={sign(stamp)}", headers=key),
         WRONG_SIGNATURE),
        ("signed before percent-encoding",
         sim.send("GET", f"{account}?{stamp}&note=%5Ba%5D&signature={sign(stamp + '&note=[a]')}", headers=key),
         WRONG_SIGNATURE),
        ("no timestamp", sim.signed("GET", account, "recvWindow=5000"), missing("timestamp")),
        ("a timestamp of letters", sim.signed("GET", account, "timestamp=now"),
         (400, -1100, "Illegal characters found in parameter 'timestamp'; legal range is '^[0-9]{1,20}$'.")),
        ("a stale timestamp", sim.signed("GET", account, f"timestamp={now(-6000)}"), TOO_OLD),
        ("a stale timestamp in microseconds", sim.signed("GET", account, f"timestamp={now(-6000)}000"), TOO_OLD),
        ("stale by its own narrow window", sim.signed("GET", account, f"recvWindow=10.5&timestamp={now(-100)}"),
         TOO_OLD),
        ("a future timestamp", sim.signed("GET", account, f"timestamp={now(3000)}"), AHEAD),
        ("a timestamp beyond 64 bits", sim.signed("GET", account, "timestamp=99999999999999999999"), AHEAD),
        ("a window that is too wide", sim.signed("GET", account, f"recvWindow=60000.001&{stamp}"),
         (400, -1131, "recvWindow must be less than 60000")),
        ("a window of four decimals", sim.signed("GET", account, f"recvWindow=1.0001&{stamp}"),
         (400, -1100, "Illegal characters found in parameter 'recvWindow'; "
                      r"legal range is '^([0-9]{1,20})(\.[0-9]{1,3})?$'.")),
    ]:
        checks.expect(name, answer, wanted)

    late = f"recvWindow=60000&timestamp={now(-6000)}"
    fine = f"recvWindow=6000.346&timestamp={now()}123"
    checks.holds("a wide window admits six seconds", sim.signed("GET", account, late)[0] == 200)
    checks.holds("microseconds and a fractional window", sim.signed("GET", account, fine)[0] == 200)
    upper = f"{account}?{stamp}&signature={sign(stamp).upper()}"
    checks.holds("hex in upper case", sim.send("GET", upper, headers=key)[0] == 200)
    middle = f"{account}?signature={sign(stamp + '&recvWindow=9000')}&{stamp}&recvWindow=9000"
    checks.holds("the signature in front", sim.send("GET", middle, headers=key)[0] == 200)


def parameters(checks, sim):
    def order(change, **sending):
        query = change + f"&timestamp={now()}"
        return sim.signed("POST", "/api/v3/order", **({"query": query} if not sending else {"body": query}))

    def without(name):
        return "&".join(part for part in ORDER.split("&") if not part.startswith(name + "="))

    def replacing(name, value):
        return without(name) + f"&{name}={value}"

    def bad_number(name):
        return (400, -1100, f"Illegal characters found in parameter '{name}'; legal range is '{NUMBER_RANGE}'.")

    for name, answer, wanted in [
        ("a duplicate in the query", order(ORDER + "&side=SELL"), DUPLICATE),
        ("a duplicate in the body", order(ORDER + "&side=BUY", body=True), DUPLICATE),
        ("a broken escape", sim.send("GET", "/api/v3/ticker/price?symbol=%ZZ"), ILLEGAL),
        ("half an escape", sim.send("GET", "/api/v3/ticker/price?symbol=BTC%4"), ILLEGAL),
        ("an escape that is no UTF-8", sim.send("GET", "/api/v3/ticker/price?symbol=%FF%FE"), ILLEGAL),
        ("an unknown symbol", order(replacing("symbol", "NOPE")), (400, -1121, "Invalid symbol.")),
        ("a symbol in lower case", sim.send("GET", "/api/v3/ticker/price?symbol=btcusdt"),
         (400, -1100, f"Illegal characters found in parameter 'symbol'; legal range is '{SYMBOL_RANGE}'.")),
        ("no symbol", order(without("symbol")), missing("symbol")),
        ("no price", order(without("price")), missing("price")),
        ("no timeInForce", order(without("timeInForce")), missing("timeInForce")),
        ("an empty quantity", order(replacing("quantity", "")), (400, -1105, "Parameter 'quantity' was empty.")),
        ("a wrong side", order(replacing("side", "HOLD")), (400, -1117, "Invalid side.")),
        ("a wrong type", order(replacing("type", "GUESS")), (400, -1116, "Invalid orderType.")),
        ("a wrong timeInForce", order(replacing("timeInForce", "NOW")), (400, -1115, "Invalid timeInForce.")),
        ("an exponent", order(replacing("quantity", "1e-3")), bad_number("quantity")),
        ("a negative price", order(replacing("price", "-1")), bad_number("price")),
        ("21 digits", order(replacing("quantity", "1" * 21)), bad_number("quantity")),
        ("nine decimals", order(replacing("price", "90000.000000001")),
         (400, -1111, "Parameter 'price' has too much precision.")),
        ("a price on a market order", order("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001&price=1"),
         (400, -1106, "Parameter 'price' sent when not required.")),
        ("a market order of nothing", order("symbol=BTCUSDT&side=BUY&type=MARKET"),
         (400, -1102, "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!")),
        ("a parameter nobody reads", order(ORDER + "&leverage=100"),
         (400, -1104, "Not all sent parameters were read; read '8' parameter(s) but was sent '9'.")),
        ("a signature on a public call", sim.send("GET", "/api/v3/time?signature=00"),
         (400, -1104, "Not all sent parameters were read; read '0' parameter(s) but was sent '1'.")),
        ("a client id with a space", order(ORDER + "&newClientOrderId=a%20b"),
         (400, -1100, "Illegal characters found in parameter 'newClientOrderId'; "
                      "legal range is '^[a-zA-Z0-9-_]{1,36}$'.")),
        ("parameters of GET in the body", sim.send("GET", "/api/v3/ticker/price?symbol=NOPE", "symbol=BTCUSDT"),
         (400, -1121, "Invalid symbol.")),
        ("symbol and symbols", sim.send("GET", "/api/v3/ticker/price?symbol=BTCUSDT&symbols=%5B%22BTCUSDT%22%5D"),
         (400, -1128, "Combination of optional parameters invalid.")),
        ("a list with a space", sim.send("GET", "/api/v3/ticker/price?symbols=%5B%22BTCUSDT%22,+%22LTCBTC%22%5D"),
         (400, -1100, f"Illegal characters found in parameter 'symbols'; legal range is '{LIST_RANGE}'.")),
        ("an unknown time unit", sim.send("GET", "/api/v3/time", headers={"X-MBX-TIME-UNIT": "HOUR"}),
         (400, -1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.")),
    ]:
        checks.expect(name, answer, wanted)
    status, content, _ = sim.send("GET", "/api/v3/time", headers={"X-MBX-TIME-UNIT": "microsecond"})
    checks.holds("microseconds on request", status == 200 and content["serverTime"] > 10**15)
    _, content, _ = sim.send("GET", "/api/v3/ticker/price?symbol=%E8%BF%99%E6%98%AF%E6%B5%8B%E8%AF%95%E5%B8%81456")
    checks.holds("a symbol beyond ASCII", content["symbol"] == "这是测试币456")


def rules(checks, sim):
    def order(text):
        return sim.signed("POST", "/api/v3/order", body=f"{text}&timestamp={now()}")

    def limit(quantity, price, side="BUY", symbol="BTCUSDT", more=""):
        return order(f"symbol={symbol}&side={side}&type=LIMIT&timeInForce=GTC&quantity={quantity}&price={price}{more}")

    for name, answer, wanted in [
        ("a price between ticks", limit("0.001", "90000.001"), failed("PRICE_FILTER")),
        ("a price over the maximum", limit("0.001", "1000000.01"), failed("PRICE_FILTER")),
        ("a price of nothing", limit("0.001", "0"), (400, -1013, "Invalid price.")),
        ("a price far from the market", limit("0.001", "900000"), failed("PERCENT_PRICE_BY_SIDE")),
        ("a quantity between steps", limit("0.000015", "90000"), failed("LOT_SIZE")),
        ("a quantity over the maximum", limit("9000.00001", "90000"), failed("LOT_SIZE")),
        ("20 digits of quantity", limit("9" * 20, "90000"), failed("LOT_SIZE")),
        ("a quantity of nothing", limit("0.00000000", "90000"), (400, -1013, "Invalid quantity.")),
        ("a crumb", limit("0.00005", "90000"), failed("NOTIONAL")),
        ("a fortune", limit("9000", "90000"), failed("NOTIONAL")),
        ("a market order over its own maximum", order("symbol=BTCUSDT&side=SELL&type=MARKET&quantity=1000.1"),
         failed("MARKET_LOT_SIZE")),
        ("more than the account has, buying", limit("1", "90000"), NO_BALANCE),
        ("more than the account has, selling", limit("0.6", "110000", "SELL"), NO_BALANCE),
        ("more than the account has, at any price", order("symbol=BTCUSDT&side=BUY&type=MARKET&quoteOrderQty=10001"),
         NO_BALANCE),
        ("a halted market", limit("100", "0.1", symbol="LUNAUSDT"), (400, -2010, "Market is closed.")),
        ("a type that is not traded",
         order("symbol=BTCUSDT&side=SELL&type=STOP_LOSS&quantity=0.001&stopPrice=90000"),
         (400, -2010, "Stop loss orders are not supported for this symbol.")),
        ("an order nobody placed", sim.signed("GET", "/api/v3/order", f"symbol=BTCUSDT&orderId=77&timestamp={now()}"),
         (400, -2013, "Order does not exist.")),
        ("a query for no order", sim.signed("GET", "/api/v3/order", f"symbol=BTCUSDT&timestamp={now()}"),
         (400, -1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")),
    ]:
        checks.expect(name, answer, wanted)

    def balances():
        answer = sim.signed("GET", "/api/v3/account", f"omitZeroBalances=true&timestamp={now()}")
        return {entry["asset"]: (entry["free"], entry["locked"]) for entry in answer[1]["balances"]}

    untouched = {"BTC": ("0.50000000", "0.00000000"), "ETH": ("3.00000000", "0.00000000"),
                 "USDT": ("10000.00000000", "0.00000000")}
    checks.holds("refused orders move no money", balances() == untouched)
    status, placed, fields = limit("0.001", "90000.00", more="&newClientOrderId=one&newOrderRespType=RESULT")
    checks.holds("an order rests", status == 200 and placed["status"] == "NEW" and "fills" not in placed)
    counts = (fields["X-MBX-ORDER-COUNT-10S"], fields["X-MBX-ORDER-COUNT-1D"])
    checks.holds("an order is counted", counts == ("1", "1"))
    checks.holds("money is set aside", balances()["USDT"] == ("9910.00000000", "90.00000000"))
    checks.expect("the same client id again", limit("0.001", "90000.00", more="&newClientOrderId=one"),
                  (400, -2010, "Duplicate order sent."))
    killed = order("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=FOK&quantity=0.001&price=90000")[1]
    checks.holds("fill or kill", (killed["status"], killed["expiryReason"]) == (
        "EXPIRED", "UNFILLED_FOK_ORDER_EXPIRED") and killed["executedQty"] == "0.00000000")


def vectors(checks, program):
    """Binance's published examples, at the moment they were signed for: a refusal behind the signature is a match."""
    key = {"X-MBX-APIKEY": KEY}
    head = "side=BUY&type=LIMIT&timeInForce=GTC"
    tail = "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
    unicode = "symbol=" + "".join(f"%EF%BC%9{digit}" for digit in "123456")
    one = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    two = "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"
    three = "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"
    far = failed("PERCENT_PRICE_BY_SIDE")
    with Simulator(program, "--fixed-time", "1499827319600") as sim:
        path = "/api/v3/order"
        checks.expect("vector in the body", sim.send(
            "POST", path, f"symbol=LTCBTC&{head}&{tail}&signature={one}", key), far)
        checks.expect("vector in the query", sim.send(
            "POST", f"{path}?symbol=LTCBTC&{head}&{tail}&signature={one}", headers=key), far)
        checks.expect("vector beyond ASCII", sim.send(
            "POST", path, f"{unicode}&{head}&{tail}&signature={two}", key), (400, -1121, "Invalid symbol."))
        checks.expect("vector in query and body", sim.send(
            "POST", f"{path}?symbol=LTCBTC&{head}", f"{tail}&signature={three}", key), far)
        checks.expect("query and body joined by &", sim.send(
            "POST", f"{path}?symbol=LTCBTC&{head}", f"{tail}&signature={one}", key), WRONG_SIGNATURE)
        both = f"symbol=LTCBTC&{tail}"
        checks.expect("of a name in both, the query's value counts", sim.send(
            "POST", f"{path}?symbol=NOPE&{head}",
            f"{both}&signature={sign(f'symbol=NOPE&{head}{both}')}", key), (400, -1121, "Invalid symbol."))


def transport(checks, sim):
    page = "<html><body><h2>{}</h2></body></html>"
    checks.expect("an unknown path", sim.send("GET", "/api/v3/withdraw"), (404, page.format("404 Not found")))
    checks.expect("a path outside the API", sim.send("GET", "/"), (404, page.format("404 Not found")))
    checks.expect("a path with an escape", sim.send("GET", "/api/v3/%70ing"), (404, page.format("404 Not found")))
    checks.expect("a retired endpoint", sim.send("POST", "/api/v3/userDataStream"), (410, page.format("410 Gone")))
    checks.expect("a wrong method", sim.send("POST", "/api/v3/ping"), (405, page.format("405 Method Not Allowed")))
    checks.expect("a body of a megabyte", sim.send("POST", "/api/v3/order", "a" * (1 << 20)),
                  (413, page.format("413 Request Entity Too Large")))
    checks.holds("a head of a megabyte", raw(sim, b"GET /api/v3/ping HTTP/1.1\r\nHost: x\r\nA: " + b"a" * (1 << 20)))
    checks.holds("a line of a megabyte", raw(sim, b"GET /api/v3/ping?" + b"a" * (1 << 20)))
    checks.holds("no HTTP at all", raw(sim, b"\x16\x03\x01\x00\x05hello\r\n\r\n"))
    unfinished = [socket.create_connection(("127.0.0.1", sim.port)) for _ in range(3)]
    unfinished[1].sendall(b"GET /api/v3/pi")
    unfinished[2].sendall(b"POST /api/v3/order HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nsymbol")
    checks.holds("alive after all of it", sim.send("GET", "/api/v3/ping")[0] == 200)
    return unfinished


def raw(sim, content):
    """True if the answer is a refusal or a closed connection, soon."""
    with socket.create_connection(("127.0.0.1", sim.port), timeout=10) as connection:
        try:
            connection.sendall(content)
            answer = connection.recv(1024)
        except (ConnectionResetError, BrokenPipeError):
            return True
    return not answer or answer.startswith(b"HTTP/1.1 4")


def quotas(checks, program):
    with Simulator(program, "--weight-limit", "10", "--fixed-time", "1499827319600") as sim:
        for used in range(1, 11):
            fields = sim.send("GET", "/api/v3/ping")[2]
            checks.holds("weight is reported", fields["X-MBX-USED-WEIGHT-1M"] == str(used))
        answer = sim.send("GET", "/api/v3/ping")
        checks.expect("one too many", answer, (
            429, -1003, "Too much request weight used; current limit is 10 request weight per 1 MINUTE. "
                        "Please use WebSocket Streams for live updates to avoid polling the API."))
        checks.holds("when to come back", answer[2]["Retry-After"] == "1")
        for _ in range(100):
            sim.send("GET", "/api/v3/ping")
        answer = sim.send("GET", "/api/v3/ping")
        checks.expect("who goes on is banned", answer, (
            418, -1003, "Way too much request weight used; IP banned until 1499827439000. "
                        "Please use WebSocket Streams for live updates to avoid bans."))
        checks.holds("for how long", answer[2]["Retry-After"] == "120")
    with Simulator(program, "--order-limit", "2", "--fixed-time", "1499827319600") as sim:
        def place():
            query = ORDER + "&timestamp=1499827319600"
            return sim.signed("POST", "/api/v3/order", query)
        place(), place()
        answer = place()
        checks.expect("one order too many", answer, (
            429, -1015, "Too many new orders; current limit is 2 orders per 10 SECOND."))
        checks.holds("a trade that succeeds weighs nothing", answer[2]["X-MBX-USED-WEIGHT-1M"] == "1")
    for limit, weight in [(1, 5), (100, 5), (101, 25), (501, 50), (5000, 250)]:
        with Simulator(program) as sim:
            fields = sim.send("GET", f"/api/v3/depth?symbol=BTCUSDT&limit={limit}")[2]
            checks.holds("depth weighs by its limit", fields["X-MBX-USED-WEIGHT-1M"] == str(weight))


def encrypted(checks, program):
    with Simulator(program, plain=False) as sim:
        authority = sim.ready["ca"]
        folder = os.path.dirname(authority)
        status, content, _ = sim.send("GET", "/api/v3/ping", context=trusting(authority))
        checks.holds("TLS with the authority", (status, content) == (200, {}))
        try:
            sim.send("GET", "/api/v3/ping", context=ssl.create_default_context())
            checks.holds("TLS without the authority must fail", False)
        except ssl.SSLCertVerificationError:
            checks.passed += 1
        for name in ["localhost", "api.binance.com"]:
            context = trusting(authority)
            with socket.create_connection(("127.0.0.1", sim.port)) as plain:
                with context.wrap_socket(plain, server_hostname=name) as secure:
                    checks.holds("a certificate for " + name, secure.version() in ("TLSv1.2", "TLSv1.3"))
        modes = {name: os.stat(os.path.join(folder, name)).st_mode & 0o777 for name in os.listdir(folder)}
        checks.holds(f"files for their owner alone: {modes}", modes == {
            "ca.pem": 0o600, "server.key": 0o600, "server.pem": 0o600})
    checks.holds("nothing is left behind", not os.path.exists(folder))


def deterministic(checks, program):
    def book(seed):
        with Simulator(program, "--seed", str(seed)) as sim:
            return sim.send("GET", "/api/v3/depth?symbol=ETHUSDT&limit=1000")[1]
    checks.holds("one seed, one book", book(7) == book(7))
    checks.holds("other seeds, other books", book(7) != book(8))


def run(program):
    checks = Checks()
    with Simulator(program) as sim:
        for part in (identity, parameters, rules):
            part(checks, sim)
        unfinished = transport(checks, sim)
        started = time.monotonic()
    checks.holds("an unfinished request does not hold up the end", time.monotonic() - started < 5)
    for connection in unfinished:
        connection.close()
    for part in (vectors, quotas, encrypted, deterministic):
        part(checks, program)
    return checks.passed
