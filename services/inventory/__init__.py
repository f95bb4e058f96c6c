"""Inventory owns warehouses, stock, cost layers, movements, reservations, the backorder queue and expected receipts.

Its invariants: 0 <= allocated <= on hand for each SKU and warehouse; allocated is the sum of what living reservations hold; on
hand is the sum of the movements and of what is left of the cost layers; a reservation passes from active to shipped or
released once; no stock lies free while a backorder that could use it waits. It refuses to allocate what is not there, to write
off what is promised, to ship what is not allocated, to give up what has shipped or a shipment carries, and to hold stock twice
for one order.
"""
