"""Operations of the other services, asked over gRPC: stock, shipments, invoices, payments, mails, audit."""
