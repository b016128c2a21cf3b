internal import PluginSDK

extension SymbolRules {
    /// Holds an order to the filters, exactly.
    ///
    /// - Parameter worth: What the order costs in the quote asset: price × quantity, or for a market order what the
    ///   book asks.
    /// - Throws: `invalid-arguments` naming the filter, the bound, and a value that would pass.
    func check(_ order: OrderRequest, worth: ExactDecimal) throws(ToolError) {
        guard status == "TRADING" else {
            throw ToolError(.orderRefused, "\(symbol) is not trading now (status \(status))", retryable: true)
        }
        do {
            if let limit = order.limitPrice, let price { try check(limit, "price", price, "PRICE_FILTER", quote) }
            if let quantity { try check(order.quantity, "quantity", quantity, "LOT_SIZE", base) }
            if order.limitPrice == nil, let marketQuantity {
                try check(order.quantity, "quantity", marketQuantity, "MARKET_LOT_SIZE", base)
            }
            try checkNotional(worth, isMarket: order.limitPrice == nil)
        } catch let error as ToolError {
            throw error
        } catch {
            throw ToolError(.invalidArguments, "price and quantity are too large to compute with")
        }
    }

    private func check(
        _ value: ExactDecimal, _ name: String, _ range: Range, _ filter: String, _ asset: String
    ) throws {
        if !range.minimum.isZero, value < range.minimum {
            throw Self.refused("\(name) \(value) is below the minimum of \(range.minimum) \(asset)", filter)
        }
        if !range.maximum.isZero, value > range.maximum {
            throw Self.refused("\(name) \(value) is above the maximum of \(range.maximum) \(asset)", filter)
        }
        if try !value.isMultiple(of: range.step) {
            let lower = try value.roundedDown(to: range.step)
            let upper = try lower.plus(range.step)
            let near = lower.isZero || lower < range.minimum ? "\(upper)" : "\(lower) or \(upper)"
            throw Self.refused("\(name) \(value) is not a multiple of \(range.step) \(asset); use \(near)", filter)
        }
    }

    private func checkNotional(_ worth: ExactDecimal, isMarket: Bool) throws {
        guard let notional else { return }
        if !notional.minimum.isZero, worth < notional.minimum, !isMarket || notional.minimumAppliesToMarket {
            throw Self.refused(
                "the order is worth \(worth) \(quote), the minimum is \(notional.minimum) \(quote); raise the quantity",
                "NOTIONAL")
        }
        if !notional.maximum.isZero, worth > notional.maximum, !isMarket || notional.maximumAppliesToMarket {
            throw Self.refused(
                "the order is worth \(worth) \(quote), the maximum is \(notional.maximum) \(quote); lower the quantity",
                "NOTIONAL")
        }
    }

    private static func refused(_ reason: String, _ filter: String) -> ToolError {
        ToolError(.invalidArguments, "\(reason) (filter \(filter)); nothing was sent")
    }
}
