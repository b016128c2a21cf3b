"""python-binance against the simulator whose address is the first argument."""
import sys

from binance.client import Client
from binance.exceptions import BinanceAPIException

from simulator import KEY, SECRET

Client.API_URL = sys.argv[1] + "/api"
client = Client(KEY, SECRET)

assert client.ping() == {}
assert client.get_server_time()["serverTime"] > 1_700_000_000_000
assert {"BTCUSDT", "这是测试币456"} <= {symbol["symbol"] for symbol in client.get_exchange_info()["symbols"]}
assert client.get_symbol_info("ETHUSDT")["filters"][0]["tickSize"] == "0.01000000"
price = client.get_symbol_ticker(symbol="ETHUSDT")["price"]
assert len(client.get_all_tickers()) == 7
assert client.get_order_book(symbol="ETHUSDT", limit=5)["bids"][0][0] == price
assert client.get_asset_balance("ETH") == {"asset": "ETH", "free": "3.00000000", "locked": "0.00000000"}
assert client.create_test_order(symbol="ETHUSDT", side="SELL", type="MARKET", quantity="1") == {}

sold = client.order_market_sell(symbol="ETHUSDT", quantity="0.5")
assert sold["status"] == "FILLED" and sold["executedQty"] == "0.50000000", sold
assert client.get_asset_balance("ETH")["free"] == "2.50000000"
spent = client.order_market_buy(symbol="ETHUSDT", quoteOrderQty="100")
assert float(spent["cummulativeQuoteQty"]) <= 100 and spent["origQuoteOrderQty"] == "100.00000000", spent
open_order = client.order_limit_sell(symbol="ETHUSDT", quantity="1", price="9000.00", newClientOrderId="mine-1")
assert open_order["status"] == "NEW" and open_order["fills"] == []
assert client.get_asset_balance("ETH")["locked"] == "1.00000000"
assert client.get_order(symbol="ETHUSDT", origClientOrderId="mine-1")["orderId"] == open_order["orderId"]


def fails_with(code, message, call):
    try:
        call()
    except BinanceAPIException as error:
        assert (error.code, error.message) == (code, message), (error.code, error.message)
        return
    raise AssertionError(f"{code} was not raised")


fails_with(-2010, "Duplicate order sent.", lambda: client.order_limit_sell(
    symbol="ETHUSDT", quantity="1", price="9000.00", newClientOrderId="mine-1"))
fails_with(-1013, "Filter failure: LOT_SIZE", lambda: client.order_market_sell(symbol="ETHUSDT", quantity="0.00001"))
fails_with(-2010, "Account has insufficient balance for requested action.",
           lambda: client.order_market_sell(symbol="ETHUSDT", quantity="50"))
