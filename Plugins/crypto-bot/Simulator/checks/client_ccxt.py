"""ccxt against the simulator whose address is the first argument."""
import sys

import ccxt

from simulator import KEY, SECRET

exchange = ccxt.binance({
    "apiKey": KEY, "secret": SECRET,
    "options": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False, "fetchMargins": False},
})
exchange.urls["api"]["public"] = exchange.urls["api"]["private"] = sys.argv[1] + "/api/v3"

assert exchange.fetch_time() > 1_700_000_000_000
markets = exchange.load_markets()
assert markets["BTC/USDT"]["precision"]["price"] == 0.01, markets["BTC/USDT"]["precision"]
assert markets["BTC/USDT"]["limits"]["cost"]["min"] == 5
last = float(exchange.publicGetTickerPrice({"symbol": "BTCUSDT"})["price"])
book = exchange.fetch_order_book("BTC/USDT", 5)
assert len(book["bids"]) == 5 and book["bids"][0][0] <= last < book["asks"][0][0]

before = exchange.fetch_balance()
assert before["free"]["USDT"] == 10000 and before["free"]["BTC"] == 0.5

exchange.create_order("BTC/USDT", "market", "buy", 0.01, None, {"test": True})
assert exchange.fetch_balance()["free"] == before["free"], "a test order must not move money"

order = exchange.create_order("BTC/USDT", "market", "buy", 0.01)
assert order["status"] == "closed" and order["filled"] == 0.01, order
after = exchange.fetch_balance()
assert abs(after["free"]["USDT"] - (10000 - order["cost"])) < 1e-6
assert abs(after["free"]["BTC"] - 0.50999) < 1e-9, "a tenth of a percent is the commission"

resting = exchange.create_order("BTC/USDT", "limit", "buy", 0.01, 50000)
assert resting["status"] == "open", resting
assert exchange.fetch_balance()["used"]["USDT"] == 500
assert exchange.fetch_order(resting["id"], "BTC/USDT")["status"] == "open"



def fails_with(expected, call):
    try:
        call()
    except expected:
        return
    raise AssertionError(f"{expected.__name__} was not raised")


fails_with(ccxt.InsufficientFunds, lambda: exchange.create_order("BTC/USDT", "limit", "buy", 1, 99000))
fails_with(ccxt.BadSymbol, lambda: exchange.publicGetTickerPrice({"symbol": "NOPEUSDT"}))
exchange.secret = "wrong"
fails_with(ccxt.AuthenticationError, exchange.fetch_balance)
