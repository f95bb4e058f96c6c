"""Fulfillment owns shipments, carriers, rates and tracking.

Its invariants: what is released is never more than what the order was ever allocated, each unit is in one shipment at most,
a shipment passes through its states in order and never back, parcels on the road carry a unique tracking number, and an order
that was cancelled here gets no further shipment. It refuses to pick, pack or ship out of turn, to pick less or more than a
shipment holds, and to hand a parcel to a carrier that has no rate for it.
"""
