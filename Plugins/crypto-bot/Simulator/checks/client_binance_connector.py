"""binance-connector against the simulator whose address is the first argument."""
import sys

from binance.error import ClientError
from binance.spot import Spot

from simulator import KEY, SECRET

client = Spot(api_key=KEY, api_secret=SECRET, base_url=sys.argv[1])

assert client.ping() == {}
assert client.time()["serverTime"] > 1_700_000_000_000
assert [symbol["symbol"] for symbol in client.exchange_info(symbols=["BTCUSDT", "LTCBTC"])["symbols"]] == [
    "BTCUSDT", "LTCBTC"]
price = client.ticker_price("LTCBTC")["price"]
assert client.depth("LTCBTC", limit=5)["bids"][0][0] == price
balances = {balance["asset"]: balance["free"] for balance in client.account(omitZeroBalances="true")["balances"]}
assert balances == {"BTC": "0.50000000", "ETH": "3.00000000", "USDT": "10000.00000000"}, balances
assert client.new_order_test("LTCBTC", "BUY", "MARKET", quantity=1) == {}
rates = client.new_order_test("LTCBTC", "BUY", "MARKET", quantity=1, computeCommissionRates="true")
assert rates["standardCommissionForOrder"]["taker"] == "0.00100000"

bought = client.new_order("LTCBTC", "BUY", "MARKET", quantity=2)
assert bought["status"] == "FILLED" and bought["fills"][0]["commission"] == "0.00200000", bought
made = client.new_order("LTCBTC", "SELL", "LIMIT_MAKER", quantity=1, price="0.00200000")
assert set(made) == {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}, made
assert client.get_order("LTCBTC", orderId=made["orderId"])["status"] == "NEW"


def fails_with(status, code, message, call):
    try:
        call()
    except ClientError as error:
        assert (error.status_code, error.error_code, error.error_message) == (status, code, message), error
        return
    raise AssertionError(f"{code} was not raised")


fails_with(400, -2010, "Order would immediately match and take.", lambda: client.new_order(
    "LTCBTC", "SELL", "LIMIT_MAKER", quantity=0.5, price="0.00100000"))
fails_with(400, -1121, "Invalid symbol.", lambda: client.ticker_price("NOPE"))
client.api_secret = "wrong"
fails_with(400, -1022, "Signature for this request is not valid.", client.account)
